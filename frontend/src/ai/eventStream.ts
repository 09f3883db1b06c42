/** Reads the events of an SSE body. */
import { createParser } from 'eventsource-parser';

import type { StreamEvent } from './core/events';
import { eventFromText } from './core/events';

/** The subscriber of a body. */
export interface EventSink {
  onEvent(event: StreamEvent): void;
  /** Reports a sign of life that is not an event. */
  onAlive(): void;
}

/**
 * Reads a body to its end. A body that breaks off ends, too: whether a terminal event has come says
 * which it was. Never rejects.
 */
export async function readEventStream(body: ReadableStream<Uint8Array>, sink: EventSink): Promise<void> {
  const parser = createParser({
    onEvent: (message) => {
      const event = eventFromText(message.data);
      if (event) sink.onEvent(event);
      else sink.onAlive();
    },
    onComment: () => sink.onAlive(),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } catch {
    // The body broke off. Like a body that ends without a terminal event, that is a lost
    // connection.
  }
}
