import collections
from tests.streaming.event_log.test_state_machine import *
C=collections.Counter()
o=LogMachine.renew
class M(MemoryMachine):
    @rule(which=LogMachine.which, generator=LogMachine.mostly_the_last)
    def renew(self, which, generator):
        s,g=self.asked(which,generator)
        C['renew']+=1
        e=s.epochs.get(g,NEVER)
        if s.is_forgotten: C['forg']+=1
        elif s.terminal: C['term']+=1
        elif e!=s.newest: C['old' if e>0 else 'never']+=1
        elif s.holder==g: C['held']+=1
        else: C['rel']+=1
        o(self,which,generator)
    def teardown(self):
        C['examples']+=1; C['streams']+=len(self.streams); C['events']+=sum(len(s.events) for s in self.streams); C['watchers']+=sum(len(s.watchers) for s in self.streams); C['ended']+=sum(s.terminal is not None for s in self.streams)
        super().teardown()
def test_zz():
    drive(M); print(C)
