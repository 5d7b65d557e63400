const { createAdminServer } = await import('#admin/server.ts');
const { createStore } = await import('#store/store.ts');
const { uidFromRef } = await import('#resources/ids.ts');
const store=createStore(); const n=100_000;
for (let i=0;i<n;i++){ const ref={kind:'Secret',namespace:'default',name:`s${i}`};
 store.record({type:'put',ref,object:{apiVersion:'v1',kind:'Secret',metadata:{name:`s${i}`,namespace:'default',uid:uidFromRef(ref),labels:{'konghq.com/credential':'key-auth'}},sealed:{key:{digest:`d${i}`}}}});
 const c={kind:'KongConsumer',namespace:'default',name:`c${i}`};
 store.record({type:'put',ref:c,object:{apiVersion:'configuration.konghq.com/v1',kind:'KongConsumer',metadata:{name:`c${i}`,namespace:'default',annotations:{'kubernetes.io/ingress.class':'kong'}},username:`c${i}`,credentials:[`s${i}`]}});}
const a=createAdminServer({store,source:{read:async()=>undefined} as never,settled:async()=>{},ingressClass:'kong',version:'1',now:()=>new Date(),digest:(_:string,k:string)=>k});
for (const url of ['/key-auths/d500','/key-auths/d500','/consumers/c9/key-auth/d9','/key-auths?size=1','/consumers?size=1','/consumers/c500']) { const t=performance.now(); const r=await a.inject(url); console.log(url,r.statusCode,(performance.now()-t).toFixed(0)); }
