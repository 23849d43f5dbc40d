package smtpd.queue;

import java.util.List;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.log.Trace;
import smtpd.queue.backend.ContentFile;
import smtpd.queue.backend.QueueBackend;
import smtpd.queue.backend.QueueBackend.Commit;
import smtpd.queue.backend.QueueBackend.ContentLoad;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.QueueBackend.Text;
import smtpd.queue.backend.StoreObserver;

/**
 * One line for each finished operation of the store while {@code trace queue} is on: what was
 * asked, and how it ended. Ids and sizes only, no text and no content.
 */
final class StoreTrace implements StoreObserver {

    @Override
    public Ending begun(Operation operation, Object subject) {
        if (!Trace.QUEUE.isOn()) {
            return null;
        }
        String asked = operation.method() + "(" + argument(subject) + ")";
        long id = id(subject);
        return (answer, broken) ->
                Trace.QUEUE.line(
                        id,
                        "",
                        asked + " -> " + (broken == null ? answer(answer) : broken.toString()));
    }

    private static long id(Object subject) {
        return switch (subject) {
            case Evpid e -> e.value();
            case Msgid m -> Evpid.ofMessage(m).value();
            case Text t -> t.id().value();
            case Commit c -> Evpid.ofMessage(c.id()).value();
            case List<?> l -> l.isEmpty() ? 0 : id(l.getFirst());
            default -> 0;
        };
    }

    private static String argument(Object subject) {
        return switch (subject) {
            case Text t -> t.id() + ", " + t.bytes().length;
            case Commit c -> argument(c);
            default -> subject.toString();
        };
    }

    private static String argument(Commit commit) {
        StringBuilder text = new StringBuilder(96).append(commit.id());
        switch (commit.content()) {
            case null -> {}
            case NewContent.Memory m -> text.append(", content ").append(m.length());
            case NewContent.InFile f -> text.append(", file ").append(f.size());
        }
        for (Text envelope : commit.texts()) {
            text.append(", +").append(envelope.id()).append(' ').append(envelope.bytes().length);
        }
        for (Evpid deleted : commit.deletes()) {
            text.append(", -").append(deleted);
        }
        return text.toString();
    }

    private static String answer(Object answer) {
        return switch (answer) {
            case Stored.Ok _ -> "ok";
            case Stored.Absent _, Load.Absent _, ContentLoad.Absent _ -> "absent";
            case Stored.Temporary t -> failed(t.full(), t.cause());
            case Load.Found f -> "ok (" + f.bytes().length + " bytes)";
            case Load.Unreadable u -> "unreadable: " + u.cause();
            case ContentLoad.Bytes b -> "ok (" + b.bytes().length + " bytes)";
            case ContentLoad.Open o -> "ok (fd " + o.fd() + ", " + o.size() + " bytes)";
            case ContentLoad.Unreadable u -> "unreadable: " + u.cause();
            case ContentFile.Opened o -> "ok (fd " + o.fd() + ")";
            case ContentFile.Failed f -> failed(f.full(), f.cause());
            case QueueBackend.Restored r ->
                    r.restored() + " restored, " + r.refused().size() + " refused";
            case List<?> entries -> Integer.toString(entries.size());
            default -> answer.toString();
        };
    }

    private static String failed(boolean isFull, String cause) {
        return (isFull ? "full: " : "temporary: ") + cause;
    }
}
