/** What an answer's markdown may contain: GitHub's syntax, formulas, and text of every script. */
import { cjk } from '@streamdown/cjk';
import { defaultRemarkPlugins, type StreamdownProps } from 'streamdown';
import { closingMarks } from '../text/closingMarks';
import { formulaNodes } from '../text/formulaNodes';
import { literalMarks } from '../text/literalMarks';
import { addressEnds } from './addressEnds';
import { wholeAnswer } from './markdownWhole';

type Plugins = NonNullable<StreamdownProps['remarkPlugins']>;

// "5~7 and 10~20" are ranges.
const NO_SINGLE_TILDE = { singleTilde: false };
const { gfm, ...otherDefaults } = defaultRemarkPlugins;
// The other one finds the ends of addresses, which `addressEnds` does for all scripts.
const strikethrough = cjk.remarkPluginsAfter.at(-1);

export const remarkPlugins: Plugins = [
  ...cjk.remarkPluginsBefore,
  closingMarks,
  [pluginOf(gfm), NO_SINGLE_TILDE],
  ...Object.values(otherDefaults),
  ...wholeAnswer,
  [pluginOf(strikethrough), NO_SINGLE_TILDE],
  addressEnds,
  literalMarks,
  // The last one: the others look at the text that was parsed.
  formulaNodes,
];

/** Returns a plugin without its options. */
function pluginOf(plugin: Plugins[number] | undefined): never {
  return (Array.isArray(plugin) ? plugin[0] : plugin) as never;
}
