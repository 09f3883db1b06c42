/** Files to download. */

/** Downloads a file. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Revoke the URL later: Firefox and Safari read it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Returns a file name of letters and digits, valid on every system. */
export function fileNameOf(title: string, ending: string, otherwise = 'answer'): string {
  const name = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mark}+/gu, '')
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  const characters = [...name].slice(0, 60).join('').replace(/-+$/u, '');
  return `${characters || otherwise}.${ending}`;
}
