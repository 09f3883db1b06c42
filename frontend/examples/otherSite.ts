import { StreamClient, useAIBlockStreaming } from '../src/ai';

const client = new StreamClient({
  baseUrl: 'https://ai.example.com',
  token: async () => (await fetch('/my-token')).text(),
});
export const useAnswers = () => useAIBlockStreaming('ask-question', { client });
