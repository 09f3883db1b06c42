/** The texts that depend on the kind of block. */
import type { BlockInfo, OutputName } from '../ai';

/** Three example prompts; none for a block that an admin added. */
export function examplesOf(block: Pick<BlockInfo, 'slug'>): readonly string[] {
  return EXAMPLES[block.slug] ?? [];
}

/** The placeholder of the prompt field. */
export function placeholderOf(block: Pick<BlockInfo, 'slug' | 'description'>): string {
  return PLACEHOLDERS[block.slug] ?? (block.description || 'What would you like to know?');
}

/** The text beside the wire until the first word arrives. */
export function waitingWordsOf(output: OutputName): string {
  return WAITING[output];
}

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'ask-question': [
    'Why is the sky blue at noon and red at dusk?',
    'What is a monad, with an example in Python?',
    'Why do cats purr when they are content, and when they are not?',
  ],
  'explain-eli10': ['Black holes', 'How does money get its worth?', 'Why can’t we remember being babies?'],
  quiz: ['The planets', 'The French Revolution', 'Cheese, and where it comes from'],
  diagram: [
    'How bread is baked',
    'How a letter gets from a post box to a door',
    'What happens when I open a web page',
  ],
};

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  'ask-question': 'Ask anything',
  'explain-eli10': 'What should be explained? A word, a question or a whole text',
  quiz: 'What should the quiz be about?',
  diagram: 'What should be drawn? A process, or how something is made up',
};

const WAITING: Readonly<Record<OutputName, string>> = {
  markdown: 'Reading the question',
  quiz: 'Thinking of the first question',
  diagram: 'Thinking of the first step',
  json: 'Reading the question',
};
