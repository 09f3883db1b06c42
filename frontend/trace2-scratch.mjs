import { chromium } from 'playwright-core';
const [port, block, prompt, q] = process.argv.slice(2);
const b = await chromium.launch({executablePath:'/usr/bin/chromium', args:['--no-sandbox']});
const page = await (await b.newContext({viewport:{width:1280,height:800}})).newPage();
await page.goto(`http://127.0.0.1:${port}/blocks/${block}`);
if (q) await page.getByRole('spinbutton').fill(q);
await page.locator('.composer-text').fill(prompt);
await page.waitForLoadState('networkidle');
if(process.env.CSS)await page.addStyleTag({content:process.env.CSS});
await b.startTracing(page,{categories:['devtools.timeline','disabled-by-default-devtools.timeline','toplevel','v8','blink','cc']});
await page.locator('.composer-text').press('Control+Enter');
await page.waitForSelector('.wire[data-state="ended"]',{state:'attached',timeout:200000});
await page.waitForTimeout(1500);
const t=JSON.parse((await b.stopTracing()).toString()).traceEvents;
await b.close();
const names=new Map(); for(const e of t) if(e.name==='thread_name') names.set(e.pid+':'+e.tid,e.args.name);
const pid = t.find(e=>e.name==='FunctionCall')?.pid;

const main=t.filter(e=>e.ph==='X'&&e.pid===pid&&names.get(e.pid+':'+e.tid)==='CrRendererMain'&&e.tdur!==undefined);
const runs=main.filter(e=>/RunTask/.test(e.name)&&e.name==='RunTask').sort((a,b)=>a.ts-b.ts);
const t0=runs[0].ts;
const totals=runs.map(r=>r.tdur/1000).sort((a,b)=>b-a);
console.log('tasks',runs.length,'cpu total',totals.reduce((a,b)=>a+b,0).toFixed(0),'over16',totals.filter(x=>x>16).length,'over33',totals.filter(x=>x>33).length,'p95 of >4ms', (()=>{const x=totals.filter(x=>x>4);return x[Math.floor(x.length*0.05)]})());

const fr=runs.filter(r=>main.some(e=>e.name==='FunctionCall'&&e.ts>=r.ts&&e.ts+e.dur<=r.ts+r.dur)&&main.some(e=>e.name==='Paint'&&e.ts>=r.ts&&e.ts<=r.ts+r.dur)).map(r=>r.tdur/1000).sort((a,b)=>a-b);
const qu=x=>fr[Math.floor(fr.length*x)].toFixed(1);
const o={};for(const e of main)if(['FunctionCall','Layout','Paint','UpdateLayoutTree','PrePaint','Commit','Layerize','FireAnimationFrame','ResizeObserver'].includes(e.name))o[e.name]=Math.round((o[e.name]||0)+e.tdur/1000);
console.log('frames',fr.length,'p25',qu(.25),'p50',qu(.5),'p75',qu(.75),'p95',qu(.95),JSON.stringify(o));
