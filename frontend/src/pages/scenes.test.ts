import { describe, expect, it } from 'vitest';

import { originOf, Scenes, streamPath } from './scenes';

describe('what an address names', () => {
  it.each([
    ['/blocks/quiz', { kind: 'block', slug: 'quiz' }],
    ['/blocks/quiz/', { kind: 'block', slug: 'quiz' }],
    ['/streams/abc', { kind: 'stream', streamId: 'abc' }],
    ['/', undefined],
    ['/history', undefined],
    ['/blocks', undefined],
    ['/blocks/', undefined],
    ['/streams/abc/more', undefined],
  ])('%s', (path, origin) => {
    expect(originOf(path)).toEqual(origin);
  });

  it('survives a percent sign that encodes nothing', () => {
    expect(originOf('/blocks/50%')).toEqual({ kind: 'block', slug: '50%' });
  });
});

describe('scenes', () => {
  it('keeps the scene that changed its own address', () => {
    const scenes = new Scenes();
    const scene = scenes.at('/blocks/quiz')!;
    expect(scenes.move(scene, streamPath('abc'))).toBe(true);
    expect(scenes.at('/streams/abc')).toBe(scene);
  });

  it('gives another scene to an address that was reached otherwise', () => {
    const scenes = new Scenes();
    const scene = scenes.at('/blocks/quiz')!;
    expect(scenes.at('/streams/abc')!.key).not.toBe(scene.key);
  });

  it('gives another scene after going back to the composer', () => {
    const scenes = new Scenes();
    const scene = scenes.at('/blocks/quiz')!;
    scenes.move(scene, '/streams/abc');
    const back = scenes.at('/blocks/quiz')!;
    expect(back.key).not.toBe(scene.key);
    expect(scenes.at('/streams/abc')!.origin).toEqual({ kind: 'stream', streamId: 'abc' });
  });

  it('lets a scene that is no longer shown change no address', () => {
    const scenes = new Scenes();
    const scene = scenes.at('/blocks/quiz')!;
    scenes.at('/history');
    expect(scenes.move(scene, '/streams/abc')).toBe(false);
  });

  it('hands over input from elsewhere, once', () => {
    const scenes = new Scenes();
    scenes.handOver('quiz', { prompt: 'The planets' });
    expect(scenes.at('/blocks/quiz')!.origin).toEqual({ kind: 'block', slug: 'quiz', ask: { prompt: 'The planets' } });
    scenes.at('/');
    expect(scenes.at('/blocks/quiz')!.origin).toEqual({ kind: 'block', slug: 'quiz' });
  });

  it('does not hand over to another block', () => {
    const scenes = new Scenes();
    scenes.handOver('quiz', { prompt: 'The planets' });
    expect(scenes.at('/blocks/diagram')!.origin).toEqual({ kind: 'block', slug: 'diagram' });
    expect(scenes.at('/blocks/quiz')!.origin).toEqual({ kind: 'block', slug: 'quiz' });
  });
});
