/** Writes `licenses.txt` into Vite's output: the licences of everything in the bundle. */
import path from 'node:path';
import type { Plugin } from 'vite';
import { type BundledPackage, packagesOf } from './packages.ts';

export const NOTICES = 'licenses.txt';

const HEAD = `The pages of Live AI Blocks carry the software and the fonts that are named here, each above its licence.
`;
const RULE = '-'.repeat(80);

/**
 * Reads what is in the bundle: the modules of its chunks, and the source files of its assets.
 * A package without a licence text fails the build, because we may not distribute it without one.
 */
export function notices(): Plugin {
  let root = '';
  return {
    name: 'notices',
    apply: 'build',
    configResolved(config) {
      root = config.root;
    },
    generateBundle: {
      // Other plugins may add assets of their own.
      order: 'post',
      handler(_options, bundle) {
        const files = Object.values(bundle).flatMap((part) =>
          part.type === 'chunk' ? part.moduleIds : part.originalFileNames.map((name) => path.posix.resolve(root, name)),
        );
        const packages = [...new Set(files.map(withoutQuery))].flatMap(packagesOf);
        const silent = packages.find(({ text }) => !text);
        if (silent) {
          this.error(`${silent.name} brings no licence text: add it as frontend/bundle/texts/${silent.name.replace('/', '+')}.txt`);
        }
        this.emitFile({ type: 'asset', fileName: NOTICES, source: noticesText(packages) });
      },
    },
  };
}

/** Lists packages by name; packages with the same text share one copy of it. */
export function noticesText(packages: BundledPackage[]): string {
  const titlesOf = new Map<string, Set<string>>();
  for (const found of packages.toSorted((a, b) => compare(titleOf(a), titleOf(b)))) {
    const titles = titlesOf.get(found.text) ?? new Set();
    titlesOf.set(found.text, titles.add(titleOf(found)));
  }
  const parts = [...titlesOf].map(([text, titles]) => `${[...titles].join('\n')}\n\n${text}\n`);
  return [HEAD, ...parts].join(`\n${RULE}\n`);
}

function titleOf({ name, version, license }: BundledPackage): string {
  return [name, version, license && `(${license.replace(/^\((.*)\)$/u, '$1')})`].filter(Boolean).join(' ');
}

/** Compares in the same order on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function withoutQuery(id: string): string {
  return id.replace(/\?.*$/u, '');
}
