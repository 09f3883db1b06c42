import { chromium } from 'playwright-core';
const [port, block, prompt, q] = process.argv.slice(2);
const b = await chromium.launch({executablePath:'/usr/bin/chromium', args:['--no-sandbox']});
const page = await (await b.newContext({viewport:{width:1280,height:800}})).newPage();
await page.goto(`http://127.0.0.1:${port}/blocks/${block}`);
if (q) await page.getByRole('spinbutton').fill(q);
await page.locator('.composer-text').fill(prompt);
await page.waitForLoadState('networkidle');
await b.startTracing(page,{categories:['devtools.timeline','disabled-by-default-devtools.timeline','toplevel','v8','blink','cc']});
await page.locator('.composer-text').press('Control+Enter');
await page.waitForSelector('.wire[data-state="ended"]',{state:'attached',timeout:200000});
await page.waitForTimeout(1500);
const t=JSON.parse((await b.stopTracing()).toString()).traceEvents;
await b.close();
const names=new Map(); for(const e of t) if(e.name==='thread_name') names.set(e.pid+':'+e.tid,e.args.name);
const pid = t.find(e=>e.name==='FunctionCall')?.pid;
for (const thr of ['CrRendererMain','Compositor']) {
 const o={},n={};
 // self cpu time
 const ev=t.filter(e=>e.ph==='X'&&e.pid===pid&&names.get(e.pid+':'+e.tid)===thr&&e.tdur!==undefined).sort((x,y)=>x.ts-y.ts||y.dur-x.dur);
 const st=[];
 for(const e of ev){while(st.length&&st.at(-1).ts+st.at(-1).dur<=e.ts)st.pop(); if(st.length)o[st.at(-1).name]=(o[st.at(-1).name]||0)-e.tdur; o[e.name]=(o[e.name]||0)+e.tdur;n[e.name]=(n[e.name]||0)+1;st.push(e);}
 console.log(thr);Object.entries(o).sort((a,b)=>b[1]-a[1]).slice(0,28).forEach(([k,v])=>console.log((v/1000).toFixed(0).padStart(7),'ms cpu',n[k],k));
}
