import { describe, expect, it } from 'vitest';
import { flowchartOf } from './flowchart';

/** Nodes as "id shape label", links as "from marks to label". */
function read(source: string): { nodes: string[]; links: string[] } | undefined {
  const chart = flowchartOf(source);
  return (
    chart && {
      nodes: chart.nodes.map(({ id, shape, label }) => `${id} ${shape} ${label}`),
      links: chart.links.map(({ from, to, line, hasStart, hasEnd, label }) =>
        `${from} ${hasStart ? '<' : ''}${line}${hasEnd ? '>' : ''} ${to} ${label}`.trim(),
      ),
    }
  );
}

describe('a flowchart', () => {
  it('is read with its shapes, arrows and labels', () => {
    expect(read('graph TD\n  A[Start] --> B{Is it?}\n  B -->|Yes| C(OK)\n  B -- No --> D((End))\n  C-->D;')).toEqual({
      nodes: ['A box Start', 'B decision Is it?', 'C round OK', 'D circle End'],
      links: ['A solid> B', 'B solid> C Yes', 'B solid> D No', 'C solid> D'],
    });
  });

  it('is read with chains, groups of nodes and all kinds of lines', () => {
    expect(read('flowchart LR\na & b --> c\nc -.-> d -. maybe .-> e\ne ==> f == sure ==> g\ng --- h <--> i ~~~ a\ni --o a --x b\na--text-->c')?.links).toEqual([
      ...['a solid> c', 'b solid> c', 'c dotted> d', 'd dotted> e maybe', 'e thick> f', 'f thick> g sure'],
      ...['g solid h', 'h <solid> i', 'i invisible a', 'i solid> a', 'a solid> b', 'a solid> c text'],
    ]);
  });

  it.each([
    ['a quoted label', 'A["x; [y] (z) | -->"]', 'A box x; [y] (z) | -->'],
    ['a markdown label', 'A["`x y`"]', 'A box x y'],
    ['line breaks and tags', 'A["<b>x</b><br/>y\\nz"]', 'A box x y z'],
    ['entities', 'A["#quot;x#quot; #35; &amp; &lt;b&gt;"]', 'A box "x" # & <b>'],
    ['an icon', 'A[fa:fa-car Car]', 'A box Car'],
    ['brackets in brackets', 'A[x (y)]', 'A box x (y)'],
    ['the same brackets in brackets', 'A[f[0]]', 'A box f[0]'],
    ['a call', 'A(f(x) = 1)', 'A round f(x) = 1'],
    ['a store', 'A[(x)]', 'A store x'],
    ['a pill', 'A([x])', 'A pill x'],
    ['a hexagon', 'A{{x}}', 'A hexagon x'],
    ['a parallelogram', 'A[/x/]', 'A parallelogram x'],
    ['the new form', 'A@{ shape: rect, label: "x" }', 'A box x'],
    ['a named shape', 'A@{ shape: diam, label: "x" }', 'A decision x'],
    ['a class', 'A[x]:::red', 'A box x'],
    ['another script', '开始[開始]', '开始 box 開始'],
    ['a formula', 'A[$x^2$]', 'A box $x^2$'],
    ['no words', 'A', 'A box A'],
  ])('has a node with %s', (_, node, expected) => {
    expect(read(`graph TD\n${node}`)?.nodes).toEqual([expected]);
  });

  it('has slanted shapes side by side', () => {
    expect(read('graph TD\nA[/x\\] --> B[\\y/] --> C[/z/]')?.nodes).toEqual([
      ...['A parallelogram x', 'B parallelogram y', 'C parallelogram z'],
    ]);
  });

  it('has groups', () => {
    expect(flowchartOf('graph TD\na-->c\nsubgraph one [First part]\na-->b\nend\nsubgraph Two\nb-->c\nend')?.groups).toEqual([
      { id: 'one', label: 'First part', nodes: ['a', 'b'] },
      { id: 'Two', label: 'Two', nodes: ['c'] },
    ]);
  });

  it('has groups in groups, also in those without nodes of their own', () => {
    const source = 'graph TD\nsubgraph Cloud\nsubgraph Net\na\nend\nsubgraph Cloud\nb\nend\nend\nsubgraph Empty\nend';
    expect(flowchartOf(source)?.groups).toEqual([
      { id: 'Cloud', label: 'Cloud', nodes: [] },
      { id: 'Net', label: 'Net', nodes: ['a'], around: 'Cloud' },
      { id: 'Cloud (2)', label: 'Cloud', nodes: ['b'], around: 'Cloud' },
    ]);
  });

  it.each([
    '---\ntitle: The way\n---\ngraph TD\nA-->B',
    '---\r\ntitle: "The way"\r\nconfig:\r\n  theme: forest\r\n---\r\n\r\nflowchart TD\r\nA-->B\r\n',
  ])('has a title: %j', (source) => {
    expect(flowchartOf(source)?.title).toBe('The way');
    expect(read(source)?.links).toEqual(['A solid> B']);
  });

  it('is read with comments and settings anywhere', () => {
    const source = '%%{\n  init: {"theme": "dark"}\n}%%\ngraph TD %% down\n  %% all\n  A["50 %% off"] --> B; %% one\naccDescr {\n  words\n}\n  B --> C %% two';
    expect(read(source)).toEqual({
      nodes: ['A box 50 %% off', 'B box B', 'C box C'],
      links: ['A solid> B', 'B solid> C'],
    });
  });

  it('is read with tags in the words of a link', () => {
    expect(read('graph TD\nA -- two<br/>lines --> B')?.links).toEqual(['A solid> B two lines']);
  });

  it('has links to a whole group', () => {
    const chart = flowchartOf('graph TD\nsubgraph one [First]\na\nend\none --> b');
    expect(chart?.nodes.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(chart?.links.map(({ from, to }) => [from, to])).toEqual([['one', 'b']]);
  });

  it.each([
    'graph TD; A-->B;',
    '%%{init: {"themeCSS": "*{background:url(//x.test)}"}}%%\ngraph TD\nA-->B',
    'graph TD\nA-->B\nclick A "javascript:alert(1)"\nclick B href "https://x.test" _blank\nclick A call f()',
    'graph TD\nA-->B\nstyle A fill:url(//x.test)\nclassDef x fill:url(//x.test)\nclass A x\nlinkStyle 0 stroke:red',
    'graph TD\nA@{img: "https://x.test/a.png"} --> B',
  ])('loses what could load, link or style: %j', (source) => {
    expect(read(source)).toEqual({ nodes: ['A box A', 'B box B'], links: ['A solid> B'] });
  });

  it.each([
    'sequenceDiagram\nA->>B: x',
    'pie\n"a": 1',
    'graph TD',
    'graph',
    '',
    'graph XX\nA-->B',
    'graph TD\nA[x"y] --> B',
    'graph TD\nA["x] --> B',
    'graph TD\nA -->',
    'graph TD\nA --> B &',
    'graph TD\nend',
    'graph TD\nsubgraph x\nA',
    'graph TD\nA -> B',
    '---\ntitle: x\ngraph TD\nA-->B',
    'graph TD\nA-->B\nwindow.hacked = 1',
    `graph TD\n${'A-->B\n'.repeat(500)}`,
    `graph TD\n${Array.from({ length: 200 }, (_, at) => `n${at}`).join('\n')}`,
    `graph TD\nA["${'x'.repeat(30_000)}"]`,
  ])('is not read from %.60j', (source) => {
    expect(flowchartOf(source)).toBeUndefined();
  });

  // With quadratic work, this would take minutes.
  it.each(['A--', '["', 'A & ', '(', '-- a ', ';', 'subgraph x\n', '"', '@{', '-', 'A-', '>', 'A[(', '-- >', '---\n', '%%', '%%{', '"%%'])('a long text of %j ends', (piece) => {
    expect(flowchartOf(`graph TD\n${piece.repeat(Math.floor(19_000 / piece.length))}`)).toBeUndefined();
  });
});
