/**
 * What crosses between processes: the header and codec of frames, and the vocabulary, one sealed
 * interface per directed edge and one per receiver.
 *
 * <p>Called by every process through {@code smtpd.proc}; calls nothing but Netty buffers. A frame
 * that cannot be read costs the edge it came on, never the process: the reader throws {@link
 * smtpd.imsg.BadFrame} and the owner of the edge closes it and accuses the sender.
 */
package smtpd.imsg;
