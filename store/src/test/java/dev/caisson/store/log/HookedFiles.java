package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** A real folder whose writes and forces a test can hold up or break. */
public class HookedFiles implements LogFiles {
    private final FolderFiles files;

    public HookedFiles(Path folder) throws IOException {
        files = FolderFiles.of(folder);
    }

    protected void beforeForce(String name) throws IOException {}

    protected void beforeWrite(String name) throws IOException {}

    @Override
    public LogFile create(String name) throws IOException {
        return new ForwardingFile(files.create(name)) {
            @Override
            public void force() throws IOException {
                beforeForce(name);
                super.force();
            }

            @Override
            public int write(ByteBuffer bytes) throws IOException {
                beforeWrite(name);
                return super.write(bytes);
            }
        };
    }

    @Override
    public LogFile open(String name) throws IOException {
        return files.open(name);
    }

    @Override
    public List<String> list() throws IOException {
        return files.list();
    }

    @Override
    public void rename(String from, String to) throws IOException {
        files.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        files.delete(name);
    }

    @Override
    public void forceFolder() throws IOException {
        files.forceFolder();
    }

    @Override
    public AutoCloseable lock() throws IOException {
        return files.lock();
    }

    @Override
    public String describe(String name) {
        return files.describe(name);
    }

    @Override
    public String describe() {
        return files.describe();
    }
}
