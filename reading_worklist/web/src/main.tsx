import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { watchForSigns } from './api/presence';
import { App } from './app/App';
import { styleWithinPolicy } from './design/nonce';
import './design/base.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');
styleWithinPolicy();
watchForSigns();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
