/**
 * A real headless Chromium against a real server. A test fails if a page logs an error, violates
 * its policy, or requests another site.
 */
import { existsSync } from 'node:fs';

import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';

import type { TransportName } from '../../src/ai';
import type { StreamResource } from '../../src/ai';
import { LiveServer } from './liveServer';
import type { Seen } from './recorder';
import { record } from './recorder';

const PLACES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`);

/** Chromium's own message about a broken connection; for `allow`. */
export const LOST_LINES = /Failed to load resource: net::ERR_|WebSocket connection to .* failed/;

/** The machine of a test may have no network at all: the tests decide what the browser says of it. */
function answerForTheNetwork(): void {
  const get = () => !(window as unknown as { isNetworkOff?: boolean }).isNetworkOff;
  Object.defineProperty(Navigator.prototype, 'onLine', { get });
}

/** Takes the network away from a page, or gives it back. Connections that are open stay open. */
export async function setOffline(page: Page, isOffline: boolean): Promise<void> {
  await page.context().setOffline(isOffline);
  await page.evaluate((isOff) => {
    (window as unknown as { isNetworkOff?: boolean }).isNetworkOff = isOff;
    dispatchEvent(new Event(isOff ? 'offline' : 'online'));
  }, isOffline);
}

/** The path of Chromium. `scripts/test` finds or installs it, and sets `CHROMIUM`. */
function chromiumPath(): string {
  const found = process.env['CHROMIUM'] ?? PLACES.find((place) => existsSync(place));
  if (!found) throw new Error('There is no Chromium. scripts/test installs one, or name it: CHROMIUM=/path/to/it.');
  return found;
}

/** The browser of a test file, with contexts for each test. */
export class Browsers {
  #browser: Browser | undefined;
  #contexts: BrowserContext[] = [];
  #troubles: string[] = [];
  #allowed: RegExp[] = [];

  async launch(args: string[] = []): Promise<void> {
    this.#browser = await chromium.launch({
      executablePath: chromiumPath(),
      // Without a graphics card, a GPU process costs more than it saves.
      args: ['--no-sandbox', '--disable-gpu', ...args],
    });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }

  /** Permits this console message in the current test. */
  allow(...words: RegExp[]): void {
    this.#allowed.push(...words);
  }

  /** A new visitor, with separate cookies and storage. */
  async visitor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    if (!this.#browser) throw new Error('The browser is not there.');
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    });
    this.#contexts.push(context);
    context.setDefaultTimeout(20_000);
    await context.addInitScript(record);
    await context.addInitScript(answerForTheNetwork);
    context.on('console', (message) => {
      if (message.type() !== 'error') return;
      this.#hear(`console: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.#hear(`thrown: ${error.error().message}`));
    return context;
  }

  /** Opens a page of a server, by default for a new visitor. */
  async open(server: { url: string }, path: string, context?: BrowserContext): Promise<Page> {
    const visitor = context ?? (await this.visitor());
    const page = await visitor.newPage();
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      const isOurs = origin === server.url || protocol === 'data:' || protocol === 'blob:';
      if (!isOurs) this.#hear(`asked another site: ${request.url()}`);
    });
    await page.goto(server.url + path);
    return page;
  }

  /** Call it at the end of a test: closes all pages, and fails if anything was wrong. */
  async settle(): Promise<void> {
    expect(await this.takeTroubles()).toEqual([]);
  }

  /** Closes all pages and returns their problems, except the permitted ones. */
  async takeTroubles(): Promise<string[]> {
    for (const context of this.#contexts) {
      for (const page of context.pages()) {
        // A page that is navigating away has nothing more to report.
        const seen = await seenOn(page).catch(() => undefined);
        for (const violation of seen?.violations ?? []) this.#hear(`policy: ${violation}`);
      }
      await context.close();
    }
    const troubles = this.#troubles.filter((words) => !this.#allowed.some((allowed) => allowed.test(words)));
    this.#contexts = [];
    this.#troubles = [];
    this.#allowed = [];
    return troubles;
  }

  #hear(trouble: string): void {
    this.#troubles.push(trouble);
  }
}

/** Starts one browser for the file, with additional arguments if given. */
export function useBrowser(args: string[] = []): Browsers {
  const browsers = new Browsers();
  beforeAll(() => browsers.launch(args));
  afterEach(() => browsers.settle());
  afterAll(() => browsers.close());
  return browsers;
}

/** Starts a server before the first of the surrounding tests. */
export interface Site {
  readonly server: LiveServer;
  readonly transport: TransportName;
}

export function useServer(environment: Record<string, string> = {}): Site {
  let server: LiveServer | undefined;
  beforeAll(async () => {
    server = await LiveServer.start(environment);
  });
  afterAll(() => server?.close());
  return {
    transport: environment['STREAMING_BACKEND'] === 'websocket' ? 'websocket' : 'sse',
    get server() {
      if (!server) throw new Error('The server is not there.');
      return server;
    },
  };
}

/** Runs the same tests on a server of each transport. */
export function onBothTransports(tests: (site: Site) => void, environment: Record<string, string> = {}): void {
  describe.each(['sse', 'websocket'] as const)('over %s', (transport) => {
    tests(useServer({ STREAMING_BACKEND: transport, ...environment }));
  });
}

/** The names of the button that asks. */
export const ASK = /^(Ask|Make quiz|Draw)$/;

// --- on a page --------------------------------------------------------------------------------

/** Asks on a block's page as a user would. Resolves once the answer has an address. */
export async function ask(page: Page, prompt: string): Promise<string> {
  await page.locator('.composer textarea').fill(prompt);
  await page.getByRole('button', { name: ASK }).click();
  return streamAt(page);
}

/** Waits until the page's address names a stream, and returns its id. */
export async function streamAt(page: Page): Promise<string> {
  await page.waitForURL(/\/streams\/[\w-]+$/);
  return new URL(page.url()).pathname.split('/').at(-1) ?? '';
}

/** The state that the wire shows. */
export async function untilWire(page: Page, state: string): Promise<void> {
  await page.locator(`.wire[data-state="${state}"]`).waitFor();
}

/** The text of a markdown answer on the page. */
export async function answerOn(page: Page): Promise<string> {
  return ((await page.locator('.answer').textContent()) ?? '').trim();
}

/** Waits until the answer contains these words. */
export async function untilAnswerHas(page: Page, words: string): Promise<void> {
  await page.locator('.answer', { hasText: words }).waitFor();
}

/** Everything that has been on the page since it was loaded. */
export function seenOn(page: Page): Promise<Seen> {
  return page.evaluate(() => (window as unknown as { seen: Seen }).seen);
}

/** The server's copy of a stream. */
export async function rowOf(page: Page, streamId: string): Promise<StreamResource> {
  const response = await page.request.get(new URL(`/api/streams/${streamId}`, page.url()).href);
  expect(response.status()).toBe(200);
  return (await response.json()) as StreamResource;
}

/** The names of the transports in the facts and notes. */
export const TRANSPORT_WORDS = { sse: 'SSE', websocket: 'WebSocket' } as const;
