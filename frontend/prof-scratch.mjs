import { chromium } from 'playwright-core';
const [port, block, prompt, q] = process.argv.slice(2);
const b = await chromium.launch({executablePath:'/usr/bin/chromium', args:['--no-sandbox']});
const page = await (await b.newContext({viewport:{width:1280,height:800}})).newPage();
const c = await page.context().newCDPSession(page);
await c.send('Performance.enable',{timeDomain:'threadTicks'});
await page.goto(`http://127.0.0.1:${port}/blocks/${block}`);
if (q) await page.getByRole('spinbutton').fill(q);
await page.locator('.composer-text').fill(prompt);
await page.waitForLoadState('networkidle');
await c.send('Profiler.enable'); await c.send('Profiler.setSamplingInterval',{interval:500}); 
const m = async()=>Object.fromEntries((await c.send('Performance.getMetrics')).metrics.map(x=>[x.name,x.value]));
const m0=await m();
await c.send('Profiler.start');
await page.locator('.composer-text').press('Control+Enter');
await page.waitForSelector('.wire[data-state="ended"]',{state:'attached',timeout:200000});
await page.waitForTimeout(1500);
const {profile}=await c.send('Profiler.stop');
const m1=await m();
for (const k of ['TaskDuration','ScriptDuration','LayoutDuration','RecalcStyleDuration','LayoutCount','RecalcStyleCount','Nodes']) console.log(k,(m1[k]-m0[k]).toFixed(3));
// self time + inclusive
const byId=new Map(profile.nodes.map(n=>[n.id,n])); const self=new Map();
profile.samples.forEach((id,i)=>self.set(id,(self.get(id)||0)+profile.timeDeltas[i]));
const parent=new Map(); for(const n of profile.nodes) for(const ch of n.children||[]) parent.set(ch,n.id);
const S={},I={};
for(const [id,t] of self){const n=byId.get(id);const key=x=>{const f=x.callFrame;return `${f.functionName||'(anon)'} ${f.url.split('/').at(-1)}:${f.lineNumber}:${f.columnNumber}`};S[key(n)]=(S[key(n)]||0)+t;const seen=new Set();for(let x=id;x;x=parent.get(x)){const k=key(byId.get(x));if(seen.has(k))continue;seen.add(k);I[k]=(I[k]||0)+t;}}
const top=(o,n)=>Object.entries(o).sort((a,b)=>b[1]-a[1]).slice(0,n).forEach(([k,t])=>console.log((t/1000).toFixed(0).padStart(7),'ms',k));
console.log('SELF');top(S,28);console.log('INCL');top(I,45);
await b.close();
