// @vitest-environment node
/** Builds in memory what `npm run build` builds, and checks what it contains and omits. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Rolldown, build } from 'vite';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOTICES, notices, noticesText } from '../../bundle/notices';

const root = fileURLToPath(new URL('../..', import.meta.url));
const VITES_OWN = 'vites-own.json';

let output: Rolldown.RolldownOutput['output'];
let text: string;

const chunks = () => output.filter((part) => part.type === 'chunk');
const assets = () => output.filter((part) => part.type === 'asset');
const assetText = (name: string) => String(assets().find(({ fileName }) => fileName === name)?.source);

/** Returns the section of the notices that names a package. */
function section(title: string): string {
  const found = text.split(/^-{80}$/mu).find((part) => part.split('\n').some((line) => line.startsWith(title)));
  return found ?? '';
}

beforeAll(async () => {
  const built = await build({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'silent',
    build: { write: false, license: { fileName: VITES_OWN } },
  });
  ({ output } = built as Rolldown.RolldownOutput);
  text = assetText(NOTICES);
}, 120_000);

describe('the notices of a build', () => {
  it('contain every package that Vite finds in it, with its licence text', () => {
    const packages: { name: string; version: string; text?: string }[] = JSON.parse(assetText(VITES_OWN));
    expect(packages.length).toBeGreaterThan(100);
    const missing = packages.filter(
      ({ name, version, text: words = '' }) =>
        !section(`${name} ${version}`).includes(words.replaceAll('\r\n', '\n') || name),
    );
    expect(missing).toEqual([]);
  });

  it('contain the licence of every font', () => {
    const all = assets().flatMap(({ originalFileNames }) => originalFileNames.filter((name) => name.endsWith('.woff2')));
    const fonts = all.filter((name) => !name.includes('/katex/'));
    expect(fonts.length).toBeGreaterThan(0);
    expect(all.length).toBeGreaterThan(fonts.length);
    expect(section('katex ')).toContain('Khan Academy');
    for (const font of fonts) {
      const name = /@fontsource-variable\/[^/]+/u.exec(font)?.[0];
      const words = section(`${name} `);
      expect(words).toMatch(/^Copyright \d{4} The .* Project Authors/mu);
      expect(words).toContain('SIL OPEN FONT LICENSE Version 1.1');
    }
  });

  it.each(['langium', 'vscode-jsonrpc', 'chevrotain-allstar', 'js-yaml', 'fastdom', 'path-browserify'])(
    'hold %s, which a package brings bundled into its own files',
    (name) => expect(section(name)).toMatch(/Copyright.*Permission is hereby granted/su),
  );

  it('contain the runtime code of the bundler, and the NOTICE files', () => {
    expect(section('vite ')).toContain('VoidZero');
    expect(section('rolldown ')).toContain('VoidZero');
    expect(section('es-toolkit ')).toContain('Copyright OpenJS Foundation');
  });

  it('contain the full Apache licence for packages that ship only a summary', () => {
    expect(section('streamdown ')).toContain('Licensed under the Apache License');
    expect(text).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
  });

  it('list no package twice', () => {
    const titles = text.split('\n').filter((line) => /^[@a-z][\w@./-]* \d+\.\d+\.\d+/u.test(line));
    expect(titles.length).toBeGreaterThan(100);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe('a package without a licence text', () => {
  let folder: string;
  const write = (name: string, content: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  const buildIt = () =>
    build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      plugins: [notices()],
      build: { write: false, rolldownOptions: { input: path.join(folder, 'main.js') } },
    }) as Promise<Rolldown.RolldownOutput>;

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'bundle-')));
    write('main.js', 'import { word } from "@some/mute"; console.log(word);');
    write('node_modules/@some/mute/package.json', '{"name": "@some/mute", "version": "1.2.3", "main": "index.mjs"}');
    write('node_modules/@some/mute/index.mjs', 'export const word = "word";');
    write('node_modules/@some/mute/license-update.mjs', 'throw new Error();');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('fails the build, which says where to put one', async () => {
    await expect(buildIt()).rejects.toThrow(/@some\/mute brings no licence text.*texts\/@some\+mute\.txt/u);
  });

  it.each(['LICENSE', 'licence.md', 'COPYING', 'LICENSE-MIT.txt', 'License.txt'])('builds once it has a %s', async (name) => {
    write(`node_modules/@some/mute/${name}`, 'Use it.\r\nKeep this.\r\n');
    const built = await buildIt();
    const made = built.output.find(({ fileName }) => fileName === NOTICES);
    expect(made).toMatchObject({ source: expect.stringContaining('@some/mute 1.2.3\n\nUse it.\nKeep this.\n') });
  });
});

describe('the text of the notices', () => {
  it('groups packages with the same licence, in alphabetical order', () => {
    const made = noticesText([
      { name: 'b', version: '1.0.0', text: 'Words.' },
      { name: 'a', version: '1.0.0', license: '(MIT OR ISC)', text: 'Words.' },
      { name: 'b', version: '1.0.0', text: 'Words.' },
      { name: 'c', text: 'Others.' },
    ]);
    expect(made.split(/^-{80}$/mu).slice(1)).toEqual(['\na 1.0.0 (MIT OR ISC)\nb 1.0.0\n\nWords.\n\n', '\nc\n\nOthers.\n']);
  });
});

describe('a build', () => {
  it('loads KaTeX and its style only for a formula', () => {
    const isKatex = (id: string) => id.includes('/katex/');
    const users = chunks().filter(({ moduleIds }) => moduleIds.some(isKatex));
    const first = new Set(['main', 'RichMarkdown', 'inlineMarkdown']);
    expect(users.length).toBeGreaterThan(0);
    for (const chunk of chunks().filter(({ name }) => first.has(name))) {
      expect(chunk.moduleIds.filter(isKatex)).toEqual([]);
      expect(users.filter(({ fileName }) => chunk.imports.includes(fileName))).toEqual([]);
    }
    const fonts = assets().filter(({ fileName }) => fileName.includes('KaTeX_'));
    expect(fonts.length).toBeGreaterThan(10);
    expect(fonts.filter(({ fileName }) => !fileName.endsWith('.woff2'))).toEqual([]);
  });

  it('gives an embedded block its colours, and the page around it none', () => {
    const stylesOf = (start: string) => {
      const names = new Set([start]);
      for (const name of names) chunks().find(({ fileName }) => fileName === name)?.imports.forEach((each) => names.add(each));
      const files = chunks().filter(({ fileName }) => names.has(fileName)).flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]);
      return files.map(assetText).join('');
    };
    const setters = (entry: string) => {
      const css = stylesOf(chunks().find(({ isEntry, name }) => isEntry && name === entry)?.fileName ?? '');
      return [...css.matchAll(/([^{}]+)\{[^{}]*(?:--ink|--settle|color-scheme):[^{}]*\}/gu)].map(([, selector = '']) => selector.trim());
    };
    const [embedded, pages] = [setters('embed'), setters('main')];
    expect(embedded).toHaveLength(pages.length);
    expect(pages.length).toBeGreaterThan(4);
    expect(embedded).toEqual(pages.map((selector) => `${selector} .ai-block`));
  });

  it('leaves out elkjs, which no diagram uses', () => {
    const modules = chunks().flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.includes('/mermaid/'))).toBe(true);
    expect(modules.filter((id) => /\/elkjs\/|\/elk-/u.test(id))).toEqual([]);
    expect(chunks().filter(({ code }) => code.includes('org.eclipse.elk'))).toEqual([]);
    expect(text).not.toContain('elkjs');
  });

  it('keeps the layout that diagrams use', () => {
    expect(chunks().some(({ name }) => name.startsWith('dagre-'))).toBe(true);
  });
});
