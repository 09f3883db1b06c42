/** The tabs of one browser, as `Seats` sees them. Needs fake timers, like `ScriptedServer`. */
import { Seats } from '../transports/seats';
import type { Sitter } from '../transports/seats';
import type { Environment } from '../types';

const DELIVERY_MS = 2;

export class ScriptedTabs {
  readonly #channels = new Map<ScriptedTab, (message: unknown) => void>();
  readonly tabs: ScriptedTab[] = [];
  messages = 0;

  open(options: Partial<ScriptedTab> = {}): ScriptedTab {
    const tab = new ScriptedTab(this, this.tabs.length);
    this.tabs.push(Object.assign(tab, options));
    return tab;
  }

  /** Which lines of all tabs hold a connection, by name. */
  get seated(): string[] {
    return this.tabs.filter(({ isDead }) => !isDead).flatMap(({ lines }) => lines.filter(({ isSeated }) => isSeated).map(({ name }) => name));
  }

  join(tab: ScriptedTab, onMessage: (message: unknown) => void) {
    this.#channels.set(tab, onMessage);
    return {
      post: (message: unknown) => {
        if (tab.isDead) return;
        this.messages += 1;
        const copy: unknown = structuredClone(message);
        for (const [other, hear] of this.#channels) {
          if (other === tab) continue;
          setTimeout(() => {
            if (this.#channels.get(other) === hear && !other.isDead) hear(copy);
          }, DELIVERY_MS);
        }
      },
    };
  }
}

export class ScriptedTab {
  readonly lines: ScriptedSitter[] = [];
  readonly seats: Seats;
  readonly #number: number;
  isVisible = true;
  /** It crashed: it neither hears nor says anything. */
  isDead = false;
  /** Its timers are late, as those of a page that has been hidden for minutes. */
  isSlow = false;
  #uuids = 0;

  constructor(browser: ScriptedTabs, number: number) {
    this.#number = number;
    const environment: Partial<Environment> = {
      now: () => Date.now(),
      setTimeout: (callback, ms) => setTimeout(() => this.isDead || callback(), this.isSlow ? 60_000 : ms) as unknown as number,
      clearTimeout: (id) => clearTimeout(id),
      uuid: () => `tab-${number}-${++this.#uuids}`,
      onWake: () => () => undefined,
      isVisible: () => this.isVisible,
      channel: (_name, onMessage) => browser.join(this, onMessage),
    };
    this.seats = new Seats('seats', environment as Environment);
  }

  /** Adds a line that wants a seat. */
  want(): ScriptedSitter {
    const line = new ScriptedSitter(`${this.#number}.${this.lines.length}`);
    this.lines.push(line);
    this.seats.add(line);
    return line;
  }
}

export class ScriptedSitter implements Sitter {
  readonly name: string;
  isSeated = false;
  canLeave = true;
  /** When it sat down, in ms since the epoch. */
  readonly satAt: number[] = [];

  constructor(name: string) {
    this.name = name;
  }

  sit(): void {
    if (this.isSeated) throw new Error('it sits already');
    this.isSeated = true;
    this.satAt.push(Date.now());
  }

  leave(): void {
    if (!this.isSeated) throw new Error('it does not sit');
    this.isSeated = false;
  }
}
