// Where the console begins.
import { createRoot } from 'react-dom/client';
import './theme/colours.css';
import './theme/base.css';
import './app/nonce';
import './app/prefs';
import { App } from './app/App';

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
