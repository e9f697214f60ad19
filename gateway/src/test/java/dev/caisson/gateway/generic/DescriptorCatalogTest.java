package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import dev.caisson.gateway.generic.test.EchoOuterClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DescriptorCatalogTest {
    @TempDir
    private Path folder;

    private Path write(FileDescriptorSet set) throws IOException {
        return Files.write(folder.resolve("set.pb"), set.toByteArray());
    }

    private static FileDescriptorSet echo() {
        var echo = EchoOuterClass.getDescriptor();
        FileDescriptorSet.Builder set = FileDescriptorSet.newBuilder().addFile(echo.toProto());
        echo.getDependencies().forEach(file -> set.addFile(file.toProto()));
        return set.build();
    }

    @Test
    void readsASetInAnyOrderWithoutProtobufsOwnFiles() throws IOException {
        DescriptorCatalog catalog = DescriptorCatalog.read(List.of(write(echo())), CatalogLimits.DEFAULT);
        assertThat(catalog.services()).containsExactly("dev.caisson.test.Echo");
        assertThat(catalog.method("/dev.caisson.test.Echo/Say").getOutputType().getName())
                .isEqualTo("Kinds");
        assertThat(catalog.messageType("dev.caisson.test.Item")).isNotNull();
        assertThat(catalog.messageType("google.protobuf.Any")).isNotNull();
        assertThat(catalog.extension("dev.caisson.test.note")).isNotNull();
    }

    @Test
    void suggestsTheNearestNames() throws IOException {
        DescriptorCatalog catalog = DescriptorCatalog.read(List.of(write(echo())), CatalogLimits.DEFAULT);
        assertThatThrownBy(() -> catalog.service("dev.caisson.test.Ehco"))
                .hasMessageContaining("did you mean dev.caisson.test.Echo?");
        assertThatThrownBy(() -> catalog.symbol("dev.caisson.test.Itm"))
                .hasMessageContaining("did you mean dev.caisson.test.Item");
    }

    @Test
    void refusesWhatIsNoSetOrIncompleteOrTooLarge() throws IOException {
        Path garbage = Files.writeString(folder.resolve("x.pb"), "hello");
        assertThatThrownBy(() -> DescriptorCatalog.read(List.of(garbage), CatalogLimits.DEFAULT))
                .isInstanceOf(CatalogException.class)
                .hasMessageContaining("is not a descriptor set")
                .hasMessageContaining("protoc --include_imports");
        Path partial = write(FileDescriptorSet.newBuilder()
                .addFile(EchoOuterClass.getDescriptor().toProto())
                .build());
        assertThatThrownBy(() -> DescriptorCatalog.read(List.of(partial), CatalogLimits.DEFAULT))
                .isInstanceOf(CatalogException.class)
                .hasMessageContaining("imports kinds.proto, which is not there");
        CatalogLimits small = new CatalogLimits(CatalogLimits.DEFAULT.deadline(), 1, 10, 1, 1);
        assertThatThrownBy(() -> DescriptorCatalog.read(List.of(partial), small))
                .isInstanceOf(CatalogException.class)
                .hasMessageContaining("larger than 10 bytes");
        assertThatThrownBy(() -> DescriptorCatalog.read(List.of(folder.resolve("none")), small))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("there is no file");
    }
}
