/** What a test waits for may come late where many tests share a core: it is found when it comes. */
import { configure } from '@testing-library/react';

configure({ asyncUtilTimeout: 10_000 });
