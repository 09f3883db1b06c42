/** Turns an answer into elements. A model's words become text, never markup. */
import type { DiagramData, JsonData, QuizData, QuizQuestion } from '../ai/core/blockData';

export type Answer = string | QuizData | DiagramData | JsonData;

/** One child of the answer; it is made again only when its key changes. */
interface Piece {
  key: string;
  make(): HTMLElement;
}

const keys = new WeakMap<Element, string>();

/** Shows an answer. Pieces that have not changed stay as they are, opened `<details>` included. */
export function showAnswer(parent: HTMLElement, answer: Answer): void {
  const pieces = piecesOf(answer);
  pieces.forEach(({ key, make }, index) => {
    const shown = parent.children[index];
    if (shown && keys.get(shown) === key) return;
    const made = make();
    keys.set(made, key);
    if (shown) shown.replaceWith(made);
    else parent.append(made);
  });
  while (parent.children.length > pieces.length) parent.lastElementChild?.remove();
}

function piecesOf(answer: Answer): Piece[] {
  if (typeof answer === 'string') return paragraphsOf(answer);
  if ('questions' in answer) return piecesOfQuiz(answer);
  if ('nodes' in answer) return piecesOfDiagram(answer);
  const json = JSON.stringify({ ...answer.value, ...answer.arriving }, undefined, 2);
  return [piece('json', json, () => element('pre', 'json', json))];
}

function paragraphsOf(text: string): Piece[] {
  const paragraphs = text.split(/\n{2,}/u).filter((words) => words.trim() !== '');
  return paragraphs.map((words) => piece('p', words, () => element('p', 'paragraph', words.trim())));
}

function piecesOfQuiz({ title, arrivingTitle, questions, arriving }: QuizData): Piece[] {
  const pieces = titleOf(title || arrivingTitle);
  questions.forEach((question, index) => {
    pieces.push(piece('question', [index, question], () => questionOf(question, index)));
  });
  if (arriving) pieces.push(piece('arriving', arriving, () => element('p', 'question', numbered(arriving.question, arriving.index))));
  return pieces;
}

function questionOf({ question, options, answer, explanation }: QuizQuestion, index: number): HTMLElement {
  const list = element('ol', 'options');
  list.append(...options.map((option) => element('li', 'option', option)));
  const solution = element('details', 'solution');
  solution.append(element('summary', 'reveal', 'Answer'), element('p', 'correct', options[answer] ?? ''), element('p', 'explanation', explanation));
  const section = element('section', 'question');
  section.append(element('p', 'words', numbered(question, index)), list, solution);
  return section;
}

const numbered = (words: string, index: number) => `${index + 1}. ${words}`;

/** A diagram without a drawing: each arrow as words, then its Mermaid source. */
function piecesOfDiagram({ title, nodes, edges, source }: DiagramData): Piece[] {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const joined = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const lines = [
    ...edges.map(({ from, to, label }) => `${labels.get(from) ?? from} → ${labels.get(to) ?? to}${label ? ` (${label})` : ''}`),
    ...nodes.filter(({ id }) => !joined.has(id)).map(({ label }) => label),
  ];
  if (lines.length === 0) return titleOf(title);
  return [
    ...titleOf(title),
    piece('steps', lines, () => {
      const list = element('ul', 'steps');
      list.append(...lines.map((line) => element('li', 'step', line)));
      return list;
    }),
    piece('source', source, () => {
      const details = element('details', 'source');
      details.append(element('summary', 'reveal', 'Mermaid code'), element('pre', 'code', source));
      return details;
    }),
  ];
}

const titleOf = (title: string): Piece[] => (title ? [piece('title', title, () => element('p', 'title', title))] : []);

function piece(kind: string, content: unknown, make: () => HTMLElement): Piece {
  return { key: `${kind} ${JSON.stringify(content)}`, make };
}

/** Makes an element that pages can style as `::part(part)`. */
export function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, part: string, text = ''): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.setAttribute('part', part);
  made.textContent = text;
  return made;
}
