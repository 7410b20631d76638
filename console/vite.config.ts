// How the console is built: hashed files, no inlined assets, charts in a piece of their own.
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The small script that asks first goes before all others, and the shell is fetched while the console begins. */
const first: Plugin = {
  name: 'weir-first',
  transformIndexHtml: {
    order: 'post',
    handler(_, { bundle }) {
      const file = (name: string): string => {
        const found = Object.values(bundle ?? {}).find((part) => part.type === 'chunk' && part.name === name);
        if (!found) throw new Error(`no part is called ${name}`);
        return `/${found.fileName}`;
      };
      return [
        { tag: 'script', attrs: { type: 'module', async: true, crossorigin: true, src: file('early') }, injectTo: 'head-prepend' },
        { tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: file('Shell') }, injectTo: 'head' },
      ];
    },
  },
};

export default defineConfig({
  base: '/',
  plugins: [first],
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  build: {
    target: ['chrome100', 'firefox100', 'safari15.4'],
    outDir: 'dist',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    manifest: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: 'index.html', early: 'src/early.ts' },
      // antd marks its files for servers that render; here nothing does.
      onwarn: (warning, tell) => { if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') tell(warning); },
      output: {
        manualChunks(id) {
          if (id.includes('/node_modules/echarts/') || id.includes('/node_modules/zrender/')) return 'charts';
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return 'react';
          return undefined;
        },
      },
    },
  },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
