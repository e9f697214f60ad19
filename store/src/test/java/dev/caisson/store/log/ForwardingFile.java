package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Hands everything on; a test overrides what it wants to go another way. */
class ForwardingFile implements LogFile {
    private final LogFile file;

    ForwardingFile(LogFile file) {
        this.file = file;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        return file.write(bytes);
    }

    @Override
    public void force() throws IOException {
        file.force();
    }

    @Override
    public long size() throws IOException {
        return file.size();
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        return file.read(into, position);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
