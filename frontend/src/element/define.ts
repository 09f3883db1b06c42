/** Registers `<ai-block>`. Built with all that it needs into one file, for pages without a bundler. */
import { defineAIBlock } from './index';

export { AIBlockElement, defineAIBlock } from './index';

defineAIBlock();
