/** Finds the package that a bundled file belongs to, and the licence texts to ship with it. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Texts for packages that do not include them, or not on this machine: `NAME.txt`, with `+` for
 * `/`.
 */
const OWN_TEXTS = path.join(import.meta.dirname, 'texts');
const NODE_MODULES = path.join(import.meta.dirname, '..', 'node_modules');

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice|third-?party)/iu;
const CODE = /\.(?:[cm]?[jt]s|json)$/iu;

export interface BundledPackage {
  name: string;
  /** Undefined if only the name of the package is known. */
  version?: string;
  /** The SPDX expression from `package.json`; undefined if there is none. */
  license?: string;
  /** Empty if no text was found. */
  text: string;
}

/**
 * @param file - an absolute path, or the id of a virtual module (the bundler's own runtime code).
 * @returns The package that contains the file, and the packages that were bundled into the file
 *   before publication. The file's source map names those. Empty for files of this project.
 */
export function packagesOf(file: string): BundledPackage[] {
  if (file.startsWith('\0')) {
    const folder = path.join(NODE_MODULES, file.slice(1).split('/', 1)[0] ?? '');
    return existsSync(path.join(folder, 'package.json')) ? [installed(folder)] : [];
  }
  // Greedy, so that the innermost package wins when packages are nested.
  const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(file)?.[0];
  return folder ? [installed(folder), ...bundledInto(file)] : [];
}

function installed(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { name, version, license: typeof license === 'string' ? license : undefined, text: textOf(name, folder) };
}

function bundledInto(file: string): BundledPackage[] {
  const map = `${file}.map`;
  if (!existsSync(map)) return [];
  const { sources }: { sources: (string | null)[] } = JSON.parse(readFileSync(map, 'utf8'));
  return sources.flatMap((source) => {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(source ?? '')?.[1];
    if (!name) return [];
    // pnpm's folder names contain the version:
    // .pnpm/@scope+name@1.2.3_peer@4.5.6/node_modules/@scope/name
    const version = /\/\.pnpm\/@?[^/@]+@([^/_(]+)/u.exec(source ?? '')?.[1];
    const folder = path.join(NODE_MODULES, name);
    const license = existsSync(folder) ? installed(folder).license : undefined;
    return [{ name, version, license, text: textOf(name, folder) }];
  });
}

function textOf(name: string, folder: string): string {
  const own = path.join(OWN_TEXTS, `${name.replace('/', '+')}.txt`);
  if (existsSync(own)) return readFileSync(own, 'utf8').trim();
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file) && !CODE.test(file))
    .toSorted()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}
