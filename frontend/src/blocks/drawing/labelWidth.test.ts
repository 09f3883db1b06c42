import { describe, expect, it } from 'vitest';
import { narrowestWidth } from './labelWidth';

describe('the width of labels in a row', () => {
  it.each([
    ['short words', 'flowchart LR\n    n1["Book flights"]\n    n2["Plan it"]\n', 96],
    ['an ordinary long word', 'flowchart LR\n    n1["Book accommodations"]\n    n2["Plan"]\n', 126],
    ['a word that no line has room for', `flowchart LR\n    n1["${'w'.repeat(60)}"]\n`, 190],
    ['a script without blanks', 'flowchart LR\n    n1["光合作用的光反应与暗反应"]\n', 96],
    ['no label', 'flowchart LR\n', 96],
  ])('%s', (_, source, width) => {
    expect(narrowestWidth(source)).toBe(width);
  });
});
