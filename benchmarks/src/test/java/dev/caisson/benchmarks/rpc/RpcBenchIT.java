package dev.caisson.benchmarks.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bench runs, every reply is right, and its result can be read; no figure is asserted. */
class RpcBenchIT {
    @Test
    void measuresEveryServerAndChannelOnce(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("result.json");
        RpcBench.main(new String[] {
            "--rounds", "1", "--warmup", "0", "--sample", "2", "--cell", "2x5", "--json", json.toString()
        });
        String result = Files.readString(json);
        assertThat(result)
                .contains("\"server\": \"caisson_loop\"", "\"server\": \"caisson_virtual\"")
                .contains("\"server\": \"grpc_direct\"", "\"server\": \"grpc_default\"")
                .contains("\"client\": \"caisson_direct\"", "\"client\": \"caisson_default\"")
                .contains("\"client\": \"grpc_direct\"", "\"client\": \"grpc_default\"");
    }
}
