/** The entry of the preview in the admin: mounts it beside the form of a block type. */
import '../look/tokens.css';
import '../look/fonts.css';
import '../look/composer.css';
import './preview.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { PreviewPanel } from './PreviewPanel';

const root = document.getElementById('block-preview');
const form = document.querySelector<HTMLFormElement>('#blocktype_form');
const { url, block = '' } = root?.dataset ?? {};
if (root && form && url !== undefined) {
  createRoot(root).render(
    <StrictMode>
      <PreviewPanel form={form} url={url} block={block} />
    </StrictMode>,
  );
}
