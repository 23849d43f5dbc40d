/**
 * Mail in plain files: one folder per message, one text file per envelope, one file with the
 * content, so that a person can read, copy and restore all of it.
 *
 * <p>Called by the queue process through {@link smtpd.queue.backend.QueueBackend}; calls the disk
 * through {@link smtpd.queue.backend.FileOps}, always relative to directory descriptors, on threads
 * of its own. Runs as {@code _smtpq}, which owns every file here.
 *
 * <p>Nothing appears under {@code queue/} half made: it is written elsewhere, synced, renamed. What
 * fails is undone, and only what this code created is removed. A bad file is one bad file.
 */
package smtpd.queue.fs;
