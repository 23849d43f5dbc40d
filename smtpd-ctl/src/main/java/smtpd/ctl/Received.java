package smtpd.ctl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What came of a message. All of it is taken before any is printed: the reader of our output may be
 * a pager, which must not hold up the daemon, and nothing is printed of a message that turns out
 * unreadable.
 */
final class Received implements AutoCloseable {

    /** More of a message than this waits in a file. */
    private static final int IN_MEMORY = 1 << 20;

    private static final int PIECE = 32 << 10;

    private final List<byte[]> pieces = new ArrayList<>();
    private long bytes;
    private FileChannel file;

    void add(byte[] piece) {
        bytes += piece.length;
        try {
            if (file == null && bytes > IN_MEMORY) {
                file = nameless();
                for (byte[] each : pieces) {
                    write(each);
                }
                pieces.clear();
            }
            if (file == null) {
                pieces.add(piece);
            } else {
                write(piece);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Without a name from the first moment: nobody finds it, and no way to end leaves it behind.
     */
    private static FileChannel nameless() throws IOException {
        Path path = Files.createTempFile("smtpctl", null); // readable by its owner alone
        try {
            return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } finally {
            Files.delete(path);
        }
    }

    private void write(byte[] piece) throws IOException {
        ByteBuffer left = ByteBuffer.wrap(piece);
        while (left.hasRemaining()) {
            file.write(left);
        }
    }

    void print(Output out) {
        pieces.forEach(out::bytes);
        if (file == null) {
            return;
        }
        try {
            ByteBuffer piece = ByteBuffer.allocate(PIECE);
            file.position(0);
            while (file.read(piece) >= 0) {
                piece.flip();
                byte[] some = new byte[piece.remaining()];
                piece.get(some);
                out.bytes(some);
                piece.clear();
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static Failure failed(IOException e) {
        return new Failure(Exit.FAILED, "temporary file: " + e.getMessage());
    }

    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
