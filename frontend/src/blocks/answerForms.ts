/** The forms in which an answer can be copied or downloaded, as items of a menu. */
import { copyText } from './copyText';
import { download, fileNameOf } from './download';
import type { MenuItem } from './Menu';

type Text = string | (() => string | Promise<string>);

/** An item that copies a text. A function is called at the time of copying. */
export function toCopy(words: string, text: Text, note?: string): MenuItem {
  return {
    words,
    note,
    act: async () => ((await copyText(await textOf(text))) ? 'Copied' : 'Copy failed'),
  };
}

/** An item that downloads a file, whose name is made from a title. */
export function toDownload(words: string, title: string, ending: string, file: Text | (() => Promise<Blob>)): MenuItem {
  const act = async () => {
    try {
      const made = typeof file === 'function' ? await file() : file;
      download(made instanceof Blob ? made : new Blob([made], { type: 'text/plain;charset=utf-8' }), fileNameOf(title, ending));
      return 'Downloaded';
    } catch {
      return 'Download failed';
    }
  };
  return { words, act };
}

async function textOf(text: Text): Promise<string> {
  return typeof text === 'string' ? text : text();
}
