/** `<ai-block kind="quiz" prompt="…">`: asks a block, and shows its answer as it arrives. */
import { CommitScheduler } from '../ai/commitScheduler';
import { dataOf } from '../ai/core/blockData';
import type { AccessOptions, StreamHandle, StreamHandlers, StreamProblem, StreamSource } from '../ai/types';
import { OwnClient, sharedClient } from './clients';
import { element, showAnswer } from './render';
import { adoptStyles } from './styles';
import { wordsOf } from './words';

const THROTTLE_MS = 50;
const ATTRIBUTES = ['kind', 'prompt', 'base-url', 'token'] as const;
const REFLECTED = ['kind', 'prompt', 'baseUrl', 'token'] as const;

/** The element's events. They bubble, and leave shadow trees. */
export interface AIBlockEvents {
  /** The answer is whole. */
  'ai-complete': CustomEvent<{ streamId: string; text: string; result: Record<string, unknown> | undefined }>;
  /** The answer failed, or could not be started or found. */
  'ai-error': CustomEvent<StreamProblem>;
}

// A server that renders imports this module, too.
const Base = globalThis.HTMLElement ?? (Object as unknown as typeof HTMLElement);

/**
 * Asks once it is in a document and has a `kind` and a `prompt`, and again when one of them or
 * `base-url` changes. Taking it out of the document stops listening, not the answer: put back, it
 * goes on where it was.
 */
export class AIBlockElement extends Base {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;

  // Declared only: a field would overwrite what a page has set before the element was defined.
  /** Called for each request; its token is preferred to the attribute's. Set it before connecting. */
  declare getToken: AccessOptions['getToken'];
  /** Used instead of the elements' own clients. Set it before connecting. */
  declare client: StreamSource | undefined;

  #parts: ReturnType<typeof makeParts> | undefined;
  #scheduler: CommitScheduler | undefined;
  #handle: StreamHandle | undefined;
  readonly #ownClient = new OwnClient();
  #asked = '';
  #isRefreshing = false;

  get kind(): string {
    return this.getAttribute('kind') ?? '';
  }
  set kind(value: string) {
    this.setAttribute('kind', value);
  }
  get prompt(): string {
    return this.getAttribute('prompt') ?? '';
  }
  set prompt(value: string) {
    this.setAttribute('prompt', value);
  }
  /** The server's URL; empty: the site that served this page. */
  get baseUrl(): string {
    return this.getAttribute('base-url') ?? '';
  }
  set baseUrl(value: string) {
    this.setAttribute('base-url', value);
  }
  get token(): string {
    return this.getAttribute('token') ?? '';
  }
  set token(value: string) {
    this.setAttribute('token', value);
  }
  /** The answer that is shown; undefined before it was asked for. */
  get answer(): StreamHandle | undefined {
    return this.#handle;
  }

  connectedCallback(): void {
    this.#takeEarlier();
    this.#build();
    this.#refresh();
  }

  disconnectedCallback(): void {
    this.#handle?.disconnect();
    this.#scheduler?.cancel();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#refresh();
  }

  /** Asks anew, as a new answer. */
  ask(): void {
    const { kind, prompt } = this;
    this.#follow((client, handlers) => client.start({ blockType: kind, prompt }, handlers));
  }

  /** Stops the answer itself. Never rejects. */
  async stop(): Promise<void> {
    await this.#handle?.cancel();
  }

  /** Reflects the properties that a page has set before the element was defined. */
  #takeEarlier(): void {
    for (const name of REFLECTED) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      Reflect.deleteProperty(this, name); // it hides the accessor
      this[name] = value;
    }
  }

  /** After all attributes that change together. */
  #refresh(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    queueMicrotask(() => {
      this.#isRefreshing = false;
      if (!this.isConnected || !this.kind || !this.prompt) return;
      const wanted = JSON.stringify([this.kind, this.prompt, this.baseUrl]);
      if (wanted !== this.#asked) {
        this.#asked = wanted;
        this.ask();
      } else this.#resume();
    });
  }

  /** After it was put back into a document. */
  #resume(): void {
    const handle = this.#handle;
    if (handle?.status !== 'ready' || handle.state.terminal || handle.isCancelledUnseen) return;
    this.#goOn(handle);
  }

  /** Follows the same answer again. The server finds a start that it has already taken by its request id. */
  #goOn({ streamId, requestId, state }: StreamHandle): void {
    if (streamId !== undefined) {
      this.#follow((client, handlers) => client.watch({ streamId, held: state }, handlers));
      return;
    }
    const { kind, prompt } = this;
    this.#follow((client, handlers) => client.start({ blockType: kind, prompt, requestId }, handlers));
  }

  /** An answer that has failed is asked for anew. One that was only lost, or never begun, is not. */
  #retry(): void {
    if (!this.#handle || this.#handle.state.terminal) this.ask();
    else this.#goOn(this.#handle);
  }

  #follow(open: (client: StreamSource, handlers: StreamHandlers) => StreamHandle): void {
    this.#handle?.disconnect();
    const later = () => this.#scheduler?.request();
    const handle = open(this.#source(), {
      onEvent: later,
      onStatusChange: later,
      onStopping: later,
      onReconnect: later,
    });
    this.#handle = handle;
    this.#scheduler?.flush();
    void handle.done.then(() => {
      if (this.#handle !== handle || !this.isConnected) return;
      this.#scheduler?.flush();
      this.#tellEnd(handle);
    });
  }

  #source(): StreamSource {
    const { client, baseUrl, token, getToken } = this;
    if (client) return client;
    if (!token && !getToken) return sharedClient(baseUrl);
    return this.#ownClient.for({ baseUrl, token, getToken }, () => this.token);
  }

  #tellEnd({ status, state, streamId = '', problem }: StreamHandle): void {
    const { terminal, text } = state;
    if (status === 'error' && problem) this.#dispatch('ai-error', problem);
    else if (terminal?.type === 'complete') this.#dispatch('ai-complete', { streamId, text, result: terminal.result });
  }

  #dispatch<Name extends keyof AIBlockEvents>(name: Name, detail: AIBlockEvents[Name]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #build(): void {
    if (this.#parts) return;
    const root = this.attachShadow({ mode: 'open' });
    adoptStyles(root);
    const parts = makeParts();
    parts.stop.addEventListener('click', () => void this.stop());
    parts.retry.addEventListener('click', () => this.#retry());
    root.append(parts.answer, parts.status, parts.error, parts.stop, parts.retry);
    this.#parts = parts;
    this.#scheduler = new CommitScheduler(() => this.#show(), THROTTLE_MS);
  }

  #show(): void {
    const [parts, handle] = [this.#parts, this.#handle];
    if (!parts || !handle) return;
    const { state, status } = handle;
    const isBusy = status !== 'ready' && status !== 'error';
    showAnswer(parts.answer, dataOf(state.blockType ?? this.kind, state));
    // A screen reader waits until the answer is whole, instead of reading each word as it comes.
    parts.answer.setAttribute('aria-busy', String(isBusy));
    setText(parts.status, wordsOf(handle));
    setText(parts.error, (handle.problem ?? handle.stopProblem)?.message ?? '');
    parts.stop.hidden = !isBusy || handle.isStopping;
    parts.retry.hidden = status !== 'error' || !handle.problem?.isRetryable;
  }
}

function makeParts() {
  const answer = element('div', 'answer');
  answer.setAttribute('aria-live', 'polite');
  const status = element('p', 'status');
  status.setAttribute('role', 'status');
  const error = element('p', 'error');
  error.setAttribute('role', 'alert');
  const [stop, retry] = [element('button', 'stop', 'Stop'), element('button', 'retry', 'Try again')];
  stop.type = retry.type = 'button';
  stop.hidden = retry.hidden = true;
  return { answer, status, error, stop, retry };
}

/** Sets a text only if it differs, so that it is announced once. */
function setText(part: HTMLElement, text: string): void {
  if (part.textContent !== text) part.textContent = text;
  part.hidden = text === '';
}

declare global {
  interface HTMLElementTagNameMap {
    'ai-block': AIBlockElement;
  }
}
