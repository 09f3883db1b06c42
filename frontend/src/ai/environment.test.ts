import { afterEach, describe, expect, it, vi } from 'vitest';

import { Api } from './api';
import { sitePath } from './environment';
import { StreamClient } from './streamClient';

function pageOf(path: string): void {
  const meta = document.createElement('meta');
  meta.name = 'site-path';
  meta.content = path;
  document.head.append(meta);
}

describe('the path of the site', () => {
  afterEach(() => document.head.replaceChildren());

  it.each([
    ['/', ''],
    ['/ai/', '/ai'],
    ['/tools/ai/', '/tools/ai'],
  ])('is read from the page: %j', (path, read) => {
    pageOf(path);
    expect(sitePath()).toBe(read);
  });

  it('is empty on a page of another site', () => {
    expect(sitePath()).toBe('');
  });

  it('is where the calls go by default', async () => {
    pageOf('/ai/');
    const asked: string[] = [];
    const fetch = (url: RequestInfo | URL) => {
      asked.push(String(url));
      return Promise.resolve(Response.json({ results: [] }));
    };
    await new Api(undefined, { fetch }).blocks();
    await new Api('', { fetch }).blocks();
    expect(asked).toEqual(['/ai/api/blocks', '/api/blocks']);
  });
});

it('the sites of a host share the seats of its connections, and other hosts have their own', () => {
  const channel = vi.fn(() => undefined);
  const { origin } = window.location;
  const sites = ['', '/a', '/b', `${origin}/c`, 'https://other.test/a', 'https://other.test'];
  const clients = sites.map((baseUrl) => new StreamClient({ baseUrl, environment: { channel } }));
  const names = channel.mock.calls.map(([name]: unknown[]) => name);
  expect(names).toHaveLength(clients.length);
  expect(new Set(names.slice(0, 4)).size).toBe(1);
  expect(new Set(names.slice(4)).size).toBe(1);
  expect(new Set(names).size).toBe(2);
});

it('the clients of a page open one channel per host, however many are made', () => {
  const opened: string[] = [];
  class Channel {
    constructor(name: string) {
      opened.push(name);
    }
    postMessage() {}
  }
  vi.stubGlobal('BroadcastChannel', Channel);
  for (const path of ['', '/a', '/b']) void new StreamClient({ baseUrl: `https://channels.test${path}`, token: 'x' });
  void new StreamClient({ baseUrl: 'https://others.test' });
  expect(opened).toEqual(['liveai seats https://channels.test', 'liveai seats https://others.test']);
});
