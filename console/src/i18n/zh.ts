// The catalogue in Chinese. Its keys are the catalogue's keys.
import codes from './zh-codes';
import desk from './zh-desk';
import see from './zh-see';

export default { ...see, ...desk, ...codes };
