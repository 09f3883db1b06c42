/** Leaves out the fonts that KaTeX's stylesheet names for browsers without WOFF2. */
import type { Plugin } from 'vite';

const OLD_FONT = /,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/gu;

export function modernFonts(): Plugin {
  return {
    name: 'modern-fonts',
    enforce: 'pre',
    transform(code, id) {
      return /\/katex\/dist\/[\w.-]+\.css$/u.test(id) ? code.replace(OLD_FONT, '') : undefined;
    },
  };
}
