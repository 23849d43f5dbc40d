package smtpd.queue;

import smtpd.imsg.QueueToAgent;
import smtpd.imsg.QueueToMda;
import smtpd.imsg.QueueToMta;
import smtpd.proc.Edge;

/** The sending side towards an agent: mta and mda hear the same, each on its own edge. */
sealed interface AgentPort {

    /**
     * @param fd descriptor to pass, -1 for none
     */
    boolean transfer(QueueToAgent.Transfer transfer, int fd);

    boolean file(long id, QueueToAgent.MessageFile file, int fd);

    boolean credit(QueueToAgent.HandoverCredit credit);

    boolean stored(QueueToAgent.ResultsStored stored);

    boolean query();

    boolean isUp();

    boolean isCongested();

    record OfMta(Edge<QueueToMta> edge) implements AgentPort {
        @Override
        public boolean transfer(QueueToAgent.Transfer transfer, int fd) {
            return edge.send(0, transfer, fd);
        }

        @Override
        public boolean file(long id, QueueToAgent.MessageFile file, int fd) {
            return edge.send(id, file, fd);
        }

        @Override
        public boolean credit(QueueToAgent.HandoverCredit credit) {
            return edge.send(0, credit);
        }

        @Override
        public boolean stored(QueueToAgent.ResultsStored stored) {
            return edge.send(0, stored);
        }

        @Override
        public boolean query() {
            return edge.send(0, new QueueToAgent.InFlightQuery());
        }

        @Override
        public boolean isUp() {
            return edge.isUp();
        }

        @Override
        public boolean isCongested() {
            return edge.isCongested();
        }
    }

    record OfMda(Edge<QueueToMda> edge) implements AgentPort {
        @Override
        public boolean transfer(QueueToAgent.Transfer transfer, int fd) {
            return edge.send(0, transfer, fd);
        }

        @Override
        public boolean file(long id, QueueToAgent.MessageFile file, int fd) {
            return edge.send(id, file, fd);
        }

        @Override
        public boolean credit(QueueToAgent.HandoverCredit credit) {
            return edge.send(0, credit);
        }

        @Override
        public boolean stored(QueueToAgent.ResultsStored stored) {
            return edge.send(0, stored);
        }

        @Override
        public boolean query() {
            return edge.send(0, new QueueToAgent.InFlightQuery());
        }

        @Override
        public boolean isUp() {
            return edge.isUp();
        }

        @Override
        public boolean isCongested() {
            return edge.isCongested();
        }
    }
}
