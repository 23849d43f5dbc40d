package smtpd.imsg;

/** What control asks the parent; RunState too, at each change. */
public sealed interface ControlToParent extends ToParent
        permits ParentToChild.RunState,
                ControlToParent.Shutdown,
                ControlToParent.Reload,
                ControlToParent.ShowProcesses {

    record Shutdown() implements ControlToParent, CtlToControl {}

    record Reload() implements ControlToParent, CtlToControl {}

    record ShowProcesses() implements ControlToParent, CtlToControl {}
}
