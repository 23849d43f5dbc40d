package smtpd.imsg;

/**
 * What an {@code smtpctl} client may ask control. The header's peer holds {@link #PROTOCOL}; every
 * request ends in ControlDone behind its rows.
 */
public sealed interface CtlToControl extends ToControl
        permits CtlToControl.ShowStats,
                CtlToControl.ShowStatus,
                CtlToControl.SetTrace,
                CtlToControl.SetProfile,
                CtlToControl.SetVerbose,
                CtlToControl.PauseService,
                CtlToControl.ResumeService,
                ControlToChild.ShowProfile,
                ControlToParent.Shutdown,
                ControlToParent.Reload,
                ControlToParent.ShowProcesses,
                ControlToScheduler.Suspend,
                ControlToScheduler.Unsuspend,
                ControlToScheduler.Remove,
                ControlToScheduler.Schedule,
                ControlToScheduler.ListMessages,
                ControlToScheduler.ListEnvelopes,
                ControlToScheduler.ShowHolds,
                ControlToQueue.ShowMessage,
                ControlToQueue.Discover,
                ControlToQueue.Flush,
                ControlToQueue.Restore,
                ControlToQueue.ShowProblems,
                ControlToMta.ShowMta,
                ControlToMta.EnableRoute,
                ControlToLka.UpdateTable {

    /** Number of the language between smtpctl and control, in the peer field of every frame. */
    int PROTOCOL = 1;

    /** In the count of a refusing ControlDone: the user may not ask this. */
    long NOT_PERMITTED = -3;

    /** In the count of a refusing ControlDone: smtpctl and daemon speak different numbers. */
    long OTHER_PROTOCOL = -5;

    /** Every counter as a ShowRow (key, value). */
    record ShowStats() implements CtlToControl {}

    /** One ShowRow (service, running or paused) each for mda, mta, smtp. */
    record ShowStatus() implements CtlToControl {}

    /** Switches the words (bits) on or off. */
    record SetTrace(long bits, boolean on) implements CtlToControl {}

    record SetProfile(long bits, boolean on) implements CtlToControl {}

    /** {@code log verbose} and {@code log brief}. */
    record SetVerbose(boolean on) implements CtlToControl {}

    /** {@code pause mta|mda|smtp}. */
    record PauseService(Role service) implements CtlToControl {}

    record ResumeService(Role service) implements CtlToControl {}
}
