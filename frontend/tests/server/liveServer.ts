/**
 * A real server process of the project with its own database, which tests start, kill and restart.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SCRIPTS = join(ROOT, 'tests/frontend/scripts');
const START_MS = 60_000;

/** Tests start many streams from one address, so limits are off. */
const NO_LIMITS = {
  LIMIT_RUNNING_PER_OWNER: '0',
  LIMIT_RUNNING_PER_ADDRESS: '0',
  LIMIT_STARTS_PER_MINUTE: '0',
  LIMIT_STARTS_PER_MINUTE_PER_ADDRESS: '0',
  LIMIT_ANONYMOUS_SHARE: '0',
  LIMIT_ANONYMOUS_SHARE_PER_ADDRESS: '0',
};

/** The project's Python. `scripts/test` sets it. */
export const PYTHON = process.env['LIVEAI_PYTHON'] ?? join(ROOT, '.venv/bin/python');

/** A migrated database with that account, to copy: Python's tests have made one. */
const TEMPLATE = process.env['LIVEAI_TEMPLATE'];

/** As in tests/support/canaries.py: Python makes the template of the database. */
const ADMIN_PASSWORD = 'canarypassword2e6f';

export class LiveServer {
  readonly #environment: Record<string, string>;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #said = '';
  port = 0;

  private constructor(folder: string, environment: Record<string, string>) {
    this.#folder = folder;
    this.#environment = {
      AI_STREAMING_ENABLED: 'true',
      AI_ALLOW_ANONYMOUS: 'true',
      AI_MODEL: 'scripted:pages',
      AI_SCRIPTS_DIR: SCRIPTS,
      STREAM_DRAIN_SECONDS: '1',
      STREAM_MAX_RUNNING: '1000',
      ...NO_LIMITS,
      DJANGO_SECRET_KEY: 'a key for the servers under test',
      PYTHONUNBUFFERED: '1',
      DATABASE_URL: `sqlite:///${this.#database}`,
      REDIS_URL: '',
      ...environment,
    };
  }

  get #database(): string {
    return join(this.#folder, 'db.sqlite3');
  }

  /** A server that listens, with the account `admin`. */
  static async start(environment: Record<string, string> = {}): Promise<LiveServer> {
    const server = new LiveServer(mkdtempSync(join(tmpdir(), 'liveai-')), environment);
    if (TEMPLATE) copyFileSync(TEMPLATE, server.#database);
    else server.#migrate();
    await server.listen();
    return server;
  }

  #migrate(): void {
    this.manage('migrate', '-v0');
    this.python(
      'from django.contrib.auth.models import User;' +
        `User.objects.create_superuser('admin', password='${ADMIN_PASSWORD}')`,
    );
  }

  static readonly adminPassword = ADMIN_PASSWORD;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything it has printed so far. */
  get output(): string {
    return this.#said;
  }

  /** Starts it, on its previous port if it has one. */
  async listen(): Promise<void> {
    const child = spawn(PYTHON, ['manage.py', 'serve', '--port', String(this.port)], {
      cwd: ROOT,
      env: { ...cleanEnvironment(), ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`It does not listen:\n${this.#said}`)), START_MS);
      const hear = (data: Buffer) => {
        this.#said += data.toString();
        const found = /Listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(data.toString());
        if (!found) return;
        clearTimeout(timer);
        resolve(Number(found[1]));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => reject(new Error(`It ended with ${code}:\n${this.#said}`)));
    });
  }

  /** Kills it without a shutdown, like a power failure. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Stops it and removes its database. */
  async close(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  manage(...args: string[]): string {
    return execFileSync(PYTHON, ['manage.py', ...args], {
      cwd: ROOT,
      env: { ...cleanEnvironment(), ...this.#environment },
      encoding: 'utf8',
    });
  }

  /** Runs a line of Python with the project's models. */
  python(code: string): string {
    return this.manage('shell', '-v0', '-c', code);
  }

  #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }
}

/** This process's environment, without variables that would change the server's settings. */
function cleanEnvironment(): Record<string, string> {
  const ours = /^(SITE_|SERVER_|AI_|STREAM|LIMIT_|DJANGO_|DATABASE_|REDIS_)/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}
