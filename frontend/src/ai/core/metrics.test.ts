// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { Meter } from './metrics';
import { chunk, completed, item, snapshot, started } from '../testing/scriptedEvents';

function meterAt() {
  const clock = { ms: 1000 };
  return { clock, meter: new Meter(() => clock.ms) };
}

describe('Meter', () => {
  it('reports nothing before the first event', () => {
    const { meter } = meterAt();
    meter.take(started());
    expect(meter.read()).toEqual({
      firstTokenMs: undefined,
      tokensPerSecond: undefined,
      reconnects: 0,
    });
  });

  it.each([
    ['text', chunk(0, 'a')],
    ['part', item(0, '/title', 'Sky')],
  ])('measures the time to the first %s, once', (_, first) => {
    const { clock, meter } = meterAt();
    clock.ms = 1250;
    meter.take(first);
    clock.ms = 2000;
    meter.take(chunk(1, 'b'));
    expect(meter.read().firstTokenMs).toBe(250);
  });

  it('reports a rate after half a second, counting merged chunks in full', () => {
    const { clock, meter } = meterAt();
    meter.take(chunk(0, 'a'));
    clock.ms += 499;
    meter.take(chunk(1, 'b'));
    expect(meter.read().tokensPerSecond).toBeUndefined();
    clock.ms += 501;
    meter.take(chunk(99, 'many', { first_seq: 2 }));
    expect(meter.read().tokensPerSecond).toBe(100);
  });

  it('uses the server’s own rate when the answer is complete', () => {
    const { clock, meter } = meterAt();
    meter.take(chunk(0, 'a'));
    clock.ms += 10_000;
    meter.take(completed(1));
    expect(meter.read().tokensPerSecond).toBe(50); // 100 tokens in 3 s minus 1 s
  });

  it('reports no rate if none can be computed', () => {
    const { meter } = meterAt();
    meter.take(snapshot(3, 'whole'));
    meter.take(completed(4, { duration_ms: 0, ttft_ms: null }));
    expect(meter.read().tokensPerSecond).toBeUndefined();
  });

  it.each([499, 0, -5])('reports no rate for an answer that came whole: written in %i ms', (ms) => {
    const { meter } = meterAt();
    meter.take(chunk(0, 'whole'));
    meter.take(completed(1, { duration_ms: 4000 + ms, ttft_ms: 4000 }));
    expect(meter.read().tokensPerSecond).toBeUndefined();
  });

  it('reports no rate for a single token', () => {
    const { meter } = meterAt();
    meter.take(chunk(0, 'Yes'));
    meter.take(completed(1, { usage: { input_tokens: 3, output_tokens: 1 } }));
    expect(meter.read().tokensPerSecond).toBeUndefined();
  });

  it('does not count replayed text twice', () => {
    const { clock, meter } = meterAt();
    meter.take(started());
    meter.take(chunk(99, 'many', { first_seq: 0 }));
    clock.ms += 1000;
    meter.take(started());
    meter.take(chunk(99, 'many', { first_seq: 0 }));
    expect(meter.read().tokensPerSecond).toBe(100);
  });
});
