package smtpd.smtp;

import java.util.function.Consumer;
import smtpd.imsg.Content;
import smtpd.imsg.Need;
import smtpd.imsg.SmtpToQueue;
import smtpd.sys.Fd;
import smtpd.sys.SysException;

/**
 * The content of one mail between the client and the queue: decoded, measured, gathered in a buffer
 * or, once that is too large, in the queue's file. Knows the verdict at the end.
 */
final class MailContent {

    static final int MAX_RECEIVED = 100;
    private static final int EARLY_FILE_BYTES = 4 << 10;
    private static final int PIECE_BYTES = 256 << 10;
    private static final long PATIENCE_OCTETS = 64L << 20;

    private final SessionLoop shared;
    private final long maxOctets;
    private final int inlineBytes;
    private final DataDecoder decoder;
    private final ContentBuffer buffer = new ContentBuffer();
    private int accounted;
    private int ownLines;
    private int ownBytes;
    private boolean asked;
    private ContentFile file;
    private boolean fileEnding;
    private Reply refusal;

    /**
     * @param dotted DATA; else BDAT
     * @param received our Received field, the first bytes of the content
     */
    MailContent(SessionLoop shared, SessionConfig config, boolean dotted, byte[] received) {
        this.shared = shared;
        this.maxOctets = config.maxMessageBytes();
        this.inlineBytes = config.inlineBytes();
        this.decoder = new DataDecoder(dotted, maxOctets, this::append);
        append(received, 0, received.length);
        ownBytes = received.length;
        for (byte b : received) {
            ownLines += b == '\n' ? 1 : 0;
        }
    }

    private void append(byte[] a, int offset, int length) {
        if (refusal == null) {
            buffer.append(a, offset, length);
            account();
        }
    }

    /** Takes bytes of the client; they are overwritten. Gives the index behind the last one. */
    int take(byte[] a, int from, int to) {
        int next = decoder.decode(a, from, to);
        if (!decoder.isWriting()) {
            drop();
        } else if (file != null && !fileEnding && buffer.length() >= PIECE_BYTES) {
            file.write(buffer.drain());
            account();
        }
        return next;
    }

    /** The last BDAT chunk is complete. */
    void finish() {
        decoder.finish();
    }

    private void account() {
        shared.account(buffer.capacity() - accounted);
        accounted = buffer.capacity();
    }

    // ---- the file

    /** The buffer is too large for a frame: {@link #asked} for a file and do not read on. */
    boolean needsFile() {
        return !asked
                && refusal == null
                && decoder.isWriting()
                && (buffer.length() > inlineBytes
                        || (shared.isShortOfMemory() && buffer.length() > EARLY_FILE_BYTES));
    }

    void asked() {
        asked = true;
    }

    void file(int fd, Runnable room) {
        if (refusal != null || !decoder.isWriting()) {
            Fd.closeQuietly(fd);
            return;
        }
        file = new ContentFile(shared.loop, shared.disk, fd, room);
        file.write(buffer.drain());
        account();
    }

    /** No file, or no queue: the mail is read to its end and then refused with this. */
    void refuse(Reply reply) {
        if (refusal == null) {
            refusal = reply;
            drop();
        }
    }

    boolean isStalled() {
        return file != null && !fileEnding && file.isFull();
    }

    boolean isInFile() {
        return file != null;
    }

    /** Writes what is left and closes the file; then the commit may go. */
    void closeFile(Consumer<Reply> done) {
        file.write(buffer.drain());
        account();
        fileEnding = true;
        file.close(
                (SysException error) ->
                        done.accept(error == null ? null : ContentFile.replyTo(error)));
    }

    /** Gives buffer and file back. */
    void drop() {
        buffer.drop();
        account();
        if (file != null && !fileEnding) {
            fileEnding = true;
            file.discard();
        }
    }

    // ---- the verdict

    boolean isEnded() {
        return decoder.isEnded();
    }

    boolean isTooBig() {
        return decoder.isTooBig();
    }

    /** The client goes on and on behind the limit: it is not worth reading to the end. */
    boolean isHopeless() {
        return decoder.octets() > maxOctets + Math.max(maxOctets, PATIENCE_OCTETS);
    }

    /** Why this mail is refused; null when it may be committed. */
    Reply fault() {
        return switch (decoder.fault()) {
            case BARE_CR_OR_LF -> Reply.BARE;
            case NUL -> Reply.NUL;
            case LONG_LINE -> Reply.CONTENT_LINE_TOO_LONG;
            case NONE -> {
                if (decoder.isTooBig()) {
                    yield Reply.TOO_BIG;
                } else if (decoder.isHeaderTooBig()) {
                    yield Reply.HEADER_TOO_BIG;
                } else if (decoder.receivedFields() >= MAX_RECEIVED) {
                    yield Reply.LOOP;
                }
                yield refusal;
            }
        };
    }

    /** Octets of the client so far. */
    long octets() {
        return decoder.octets();
    }

    String messageId() {
        return decoder.messageId();
    }

    /** Bytes of the stored form. */
    long stored() {
        return decoder.stored() + ownBytes;
    }

    /** What the next hop must offer; bits of {@link Need}. */
    int need(Transaction mail) {
        int need = decoder.isEightBit() ? Need.EIGHT_BIT_MIME : 0;
        MailParameters parameters = mail.parameters();
        if (parameters.smtpUtf8()) {
            if (decoder.isHeaderEightBit() || mail.isSenderNonAscii()) {
                need |= Need.SMTPUTF8;
            } else {
                need |= mail.hasNonAsciiRecipient() ? Need.SMTPUTF8_BY_ADDRESS : 0;
            }
        }
        if (parameters.requireTls()) {
            need |= Need.REQUIRE_TLS;
        } else if (decoder.saysTlsRequiredNo()) {
            need |= Need.TLS_OPTIONAL;
        }
        return need;
    }

    /** The commit of this mail. */
    SmtpToQueue.CommitMessage commit(Transaction mail) {
        boolean inFile = file != null;
        return new SmtpToQueue.CommitMessage(
                mail.no(),
                mail.acceptedBits(),
                mail.expansionsOut(),
                stored(),
                buffer.crc32c(),
                decoder.lines() + ownLines,
                need(mail),
                inFile,
                inFile ? Content.NONE : new Content(buffer.array(), 0, buffer.length()));
    }
}
