import { StreamClient } from '@liveai/client';

export async function tellWhy(write: (text: string) => void) {
  const client = new StreamClient();
  const answer = client.start({ blockType: 'ask-question', prompt: 'What is photosynthesis?' });
  for await (const event of answer) if (event.type === 'chunk') write(event.token);
}
