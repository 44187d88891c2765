// Events of a session that a client may ask for again after its stream broke (Last-Event-ID).
// Having one makes the SDK send ids, and an empty event first.

/** Beyond this the oldest events cannot be resumed from any more. */
export const EVENTS_MAX = 1000;

export function createEventStore() {
  const events = new Map();
  let sequence = 0;

  return {
    async storeEvent(streamId, message) {
      sequence += 1;
      const id = `${streamId}:${sequence}`;
      events.set(id, { streamId, message });
      if (events.size > EVENTS_MAX) events.delete(events.keys().next().value);
      return id;
    },
    async getStreamIdForEventId(id) {
      return events.get(id)?.streamId;
    },
    async replayEventsAfter(lastId, { send }) {
      const streamId = events.get(lastId)?.streamId;
      if (streamId === undefined) throw new Error('unknown event id');
      let found = false;
      for (const [id, event] of [...events]) {
        if (found && event.streamId === streamId) await send(id, event.message);
        found ||= id === lastId;
      }
      return streamId;
    },
  };
}
