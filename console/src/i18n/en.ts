// The catalogue in English: the same keys as in Chinese.
import codes from './en-codes';
import desk from './en-desk';
import see from './en-see';
import type zh from './zh';

const en: Record<keyof typeof zh, string> = { ...see, ...desk, ...codes };
export default en;
