/** Two blocks as an admin would add them: one markdown, one with named fields. */
import type { LiveServer } from '../liveServer';

const RECIPE = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    servings: { type: 'integer' },
    is_vegan: { type: 'boolean' },
    ingredients: { type: 'array', items: { type: 'string' } },
    story: { type: 'string' },
  },
  required: ['name', 'servings', 'is_vegan', 'ingredients', 'story'],
};

export function addAdminsBlocks(server: LiveServer): void {
  server.python(
    'import json; from blocks.models import BlockType;' +
      "letter = BlockType(slug='letter', title='Letter', description='Writes a letter.');" +
      'letter.full_clean(); letter.save();' +
      "recipe = BlockType(slug='recipe', title='Recipe', description='Finds a recipe.', output='json'," +
      ` answer_schema=json.loads('''${JSON.stringify(RECIPE)}'''));` +
      'recipe.full_clean(); recipe.save()',
  );
}
