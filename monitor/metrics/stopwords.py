"""Words that say nothing of what a text is about: grammar, and mere liking. Our own short lists."""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = """
a about above across actually after again against all almost alone along already also although always am among an and another any
anybody anyone anything anyway anywhere are aren't around as ask asked at away back be became because become been before behind
being below between both but by came can can't cannot could couldn't day days did didn't do does doesn't doing don't done down
during each either else end enough etc even ever every everybody everyone everything everywhere far few first for from front full
further get gets getting give given gives go goes going gone got gotta had hadn't has hasn't have haven't having he he'd he'll he's
hence her here here's hers herself him himself his how however i i'd i'll i'm i've if im in indeed instead into is isn't it it'd
it'll it's its itself ive just keep keeps kept kind know known knows last lately later least less let let's lets like likely little
long look looking looks lot lots made mainly make makes making many may maybe me mean means meanwhile might mine more moreover most
mostly much must mustn't my myself near nearly need needs neither never new next no nobody none nor not nothing now nowhere of off
often oh ok okay old on once one ones only onto or other others otherwise ought our ours ourselves out over own part people per
perhaps please put quite rather really right said same saw say saying says second see seem seemed seems seen several shall shan't she
she'd she'll she's should shouldn't show since so some somebody somehow someone something sometime sometimes somewhere soon still
stuff such sure take taken takes taking than that that'll that's thats the their theirs them themselves then thence there there's
therefore these they they'd they'll they're they've thing things think thinking this those though thought three through throughout
thus till time times to today together told tomorrow tonight too took toward towards tried try trying two under unless until up upon
us use used user users uses using usually very via want wanted wants was wasn't way we we'd we'll we're we've week weeks well went
were weren't what what's whatever when whenever where whereas wherever whether which while who who's whoever whole whom whose why will
with within without won't would wouldn't wow yeah year years yes yesterday yet you you'd you'll you're you've your yours yourself
yourselves gonna wanna dont cant doesnt didnt isnt wont couldnt wouldnt wasnt im ive youre thats rt amp via lol lmao omg btw imo
imho tbh idk hi hello hey thanks thank app apps product review reviews star stars month months hour hours minute minutes
"""
_OTHERS: Final = """
aber als am an auch auf aus bei bin bis bist da das dass dem den der des die dies diese dieser doch du durch ein eine einem einen
einer er es für hat haben ich ihr im in ist ja kann kein keine mal man mehr mein mich mir mit nach nicht noch nur ob oder ohne schon
sehr sich sie sind so um und uns von vor war was wenn werden wie wir wird zu zum zur
au aux avec ce ces cette comme dans de des du elle en est et être il ils je la le les leur lui mais même mes moi mon ne nous on ont
ou par pas plus pour qu que qui sa sans se ses si son sont sur ta te tes toi ton très tu un une vos votre vous
al algo con como cuando del desde donde el ella ellos era eres es esa ese eso esta este esto está están ha hay la las le lo los más
me mi mis muy ni no nos o para pero por porque que qué se sea ser si sin sobre son su sus también te tiene todo tu un una uno y ya yo
che chi ci come con cosa da dal dalla dei del della delle di e gli ha ho i il io la le lo ma mi molto nei nel nella non o per perché
più quando questa questo se si sono su tra un una è
ao aos as até com como da das de dele do dos e ela ele em entre era essa esse esta este eu foi há isso isto já mais mas me mesmo meu
minha muito na nas nem no nos não o os ou para pela pelo por quando que quem se sem ser seu sua são só também tem um uma você à é
aan al als bij dan dat de deze die dit door een en er geen had heb heeft het hij hoe ik in is je kan maar me meer met mijn naar niet
nog nu of om ook op over te toch tot uit van veel voor was wat we wel wij zijn zo zou
"""
_LIKING: Final = """
love loves loved loving great good better best nice awesome amazing excellent perfect perfectly fantastic wonderful brilliant superb
beautiful happy happily glad pleased enjoy enjoyed enjoying fun cool favorite favourite fine fabulous incredible outstanding
terrible horrible awful bad badly worse worst hate hates hated hating sad sadly angry annoyed disappointed disappointing
disappointment garbage trash crap crappy shit shitty fuck fucking damn hell suck sucks sucked stupid ridiculous pathetic dreadful
poor poorly unhappy upset ugly joke lame sorry unfortunately finally absolutely totally completely literally honestly highly
recommend recommended recommending
"""

STOP_WORDS: Final = frozenset((_ENGLISH + _OTHERS).split())
MERE_LIKING: Final = frozenset(_LIKING.split())
"""Praise and blame as such: the scorer goes by them, so that they only say again what the label says."""
NEGATIONS: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "can't",
        "cannot",
        "won't",
        "doesn't",
        "don't",
        "didn't",
        "isn't",
        "wasn't",
        "couldn't",
        "wouldn't",
        "without",
        "cant",
        "wont",
        "doesnt",
        "dont",
        "didnt",
        "isnt",
        "stopped",
    ]
)
