package dev.caisson.cli;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** Commands to try on a store that has just been started; each works as printed on this machine. */
final class StoreTrial {
    private StoreTrial() {}

    /** With redis-cli where that is installed, else with curl, which speaks to a socket by its telnet scheme. */
    static List<String> commands(int port) {
        if (isOnPath("redis-cli")) {
            String cli = "redis-cli -p " + port;
            return List.of(cli + " set greeting hello", cli + " get greeting");
        }
        return List.of(
                "printf 'SET greeting hello\\r\\nGET greeting\\r\\nQUIT\\r\\n' | curl -s telnet://127.0.0.1:" + port);
    }

    private static boolean isOnPath(String program) {
        String path = System.getenv("PATH");
        for (String folder : path == null ? new String[0] : path.split(File.pathSeparator, -1)) {
            try {
                if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                    return true;
                }
            } catch (InvalidPathException notAFolder) {
                // as the shell does: on to the next
            }
        }
        return false;
    }
}
