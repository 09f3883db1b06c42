import { describe, expect, it } from 'vitest';
import { toStandIns } from './drawnSource';
import { cleanDrawing } from './diagramSvg';

/** The output of Mermaid 12.3, without what is irrelevant here. */
function drawn({ label = 'Mix', inside = '', attributes = '' } = {}): string {
  return `<svg id="d1-draft" width="100%" xmlns="http://www.w3.org/2000/svg" class="flowchart" style="max-width: 196px;"
    viewBox="0 0 196 292.5" role="graphics-document document" ${attributes}><style>#d1-draft{fill:url(//x.test/a)}</style>
    <g><marker id="d1-draft_flowchart-v2-pointEnd" class="marker" viewBox="0 0 10 10" refX="5" refY="5" orient="auto"><path d="M 0 0 z"
      class="arrowMarkerPath" style="stroke-width: 1"></path></marker><marker id="d1-draft_flowchart-v2-crossEnd"><path d="M 1,1"></path></marker>
    <g class="edgePaths"><path d="M98,57L98,126" id="d1-draft-L_n1_n2_0" class="flowchart-link" style=";" data-edge="true" data-id="L_n1_n2_0"
      data-points="W3sie" marker-end="url(#d1-draft_flowchart-v2-pointEnd)"></path></g>
    <g class="nodes"><g class="node default" id="d1-draft-flowchart-n1-0" transform="translate(98, 32.5)"><rect class="basic label-container" style=""
      x="-90" y="-24.5" width="180" height="49"></rect><g class="label"><text y="-10.1"><tspan dy="1.1em">${label}</tspan></text></g></g>${inside}</g></g>
    <defs><filter id="d1-draft-drop-shadow"><feDropShadow dx="4"></feDropShadow></filter></defs></svg>`;
}

const clean = (markup: string) => cleanDrawing(markup, 'd1');

describe('a drawing for the page', () => {
  it('has its natural size, its label, and named parts', () => {
    const { svg, width, height } = clean(drawn());
    expect([width, height]).toEqual([196, 292.5]);
    expect(svg.getAttribute('height')).toBe('292.5');
    expect(svg.getAttribute('role')).toBe('img');
    expect(svg.querySelector('[data-part="n1"] text')?.textContent).toBe('Mix');
    expect(svg.querySelector('[data-part="L_n1_n2_0"]')?.getAttribute('d')).toBe('M98,57L98,126');
  });

  it('keeps the one arrowhead in use, under a name that no draft has', () => {
    const { svg } = clean(drawn());
    expect([...svg.querySelectorAll('[id]')].map((one) => one.id)).toEqual(['d1-arrow-0']);
    expect(svg.querySelector('.flowchart-link')?.getAttribute('marker-end')).toBe('url(#d1-arrow-0)');
    expect(svg.querySelector('marker')?.getAttribute('refX')).toBe('5');
  });

  it('lets labels run from right to left', () => {
    const directionOf = (label: string) => clean(drawn({ label })).svg.querySelector('text')?.getAttribute('direction');
    expect([directionOf('خلط الدقيق'), directionOf('Mix'), directionOf('42')]).toEqual(['rtl', null, null]);
  });

  it('shows special characters as plain text', () => {
    const label = toStandIns('#60;img src#61;x onerror#61;alert#40;1#41;#62;');
    const { svg } = clean(drawn({ label }));
    expect(svg.querySelector('tspan')?.textContent).toBe('<img src=x onerror=alert(1)>');
    expect(svg.querySelector('img')).toBeNull();
  });

  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['a handler', '<rect onclick="alert(1)" onload="alert(1)"></rect>'],
    ['HTML', '<foreignObject><div><img src="https://x.test/a.png"></div></foreignObject>'],
    ['a picture', '<image href="https://x.test/a.png" xlink:href="https://x.test/a.png"></image>'],
    ['a link', '<a href="javascript:alert(1)" xlink:href="javascript:alert(1)"><text>x</text></a>'],
    ['a style', '<style>@import "https://x.test/a.css"; * { background: url(https://x.test/a) }</style>'],
    ['a style of one shape', '<rect style="fill: url(https://x.test/a#b)"></rect>'],
    ['a fill from elsewhere', '<rect fill="url(https://x.test/a#b)" filter="url(https://x.test/a#b)"></rect>'],
    ['an arrowhead from elsewhere', '<path marker-end="url(https://x.test/a#b)" marker-start="url(https://x.test/a#b)"></path>'],
    ['a use', '<use href="https://x.test/a.svg#b"></use>'],
    ['an animation', '<set attributeName="href" to="javascript:alert(1)"></set><animate attributeName="href"></animate>'],
    ['a comment that ends early', '<!--> <img src=x onerror=alert(1)> -->'],
  ])('drops %s', (_, inside) => {
    const markup = clean(drawn({ inside, attributes: 'onload="alert(1)"' })).svg.outerHTML;
    expect(markup).not.toMatch(/x\.test|javascript:|alert|\bon\w+=|style|href|<(?:script|a|img|image|use|div|foreignObject|filter)\b/iu);
    expect(markup).toContain('Mix');
  });

  it('must contain an SVG', () => {
    expect(() => clean('<p>no</p>')).toThrow(TypeError);
  });
});
