"""Small words of common languages: where a text ends in one, it does not end in mid-word."""

from __future__ import annotations

_LISTS = (
    # English
    "a about after all also an and are as at be because been before but by can for from had has"
    " have he her his how if in into is it its like more most not of on one or our she so some than"
    " that the their them then there these they this through to very was we were what when where"
    " which while who will with would you your",
    # German
    "aber alle als am an auch auf aus bei bis da das dass dem den der des die durch ein eine einem"
    " einen einer er es für hat ich im in ist ja kann man mit nach nicht noch nur ob oder sehr sich"
    " sie sind so um und uns von vor war was weil wenn wie wir wird zu zum zur über",
    # French
    "à au aux avec ce ces cette comme dans de des du elle en est et il ils je la le les leur lui"
    " mais ne nous on ou où par pas plus pour que qui sa sans se ses son sont sur un une vous",
    # Spanish
    "al con como cuando del donde el ella en entre es esta este la las lo los más muy no o para"
    " pero por porque que se ser si sin sobre son su sus también un una y ya",
    # Italian
    "alla anche che chi come con da dal dei del della di e è gli ha i il la le lo ma nel nella non"
    " o per perché più quando sono su sul una uno",
    # Portuguese
    "ao aos as até com como da das de do dos e é ela ele em entre foi mais mas na não no nos o os"
    " ou para pela pelo por porque quando que se sem ser são sua também um uma",
    # Dutch
    "aan als bij dat de deze die dit door een en er het hij ik in is maar met naar niet of om ook"
    " op over te tot uit van veel voor was wat wij wordt ze zich zijn",
    # Polish
    "ale czy dla do i jak jest już lub ma na nie o od po pod przez przy się są tak to tym w we z za"
    " że",
    # Russian
    "а без был была были в во где для до его если есть же за и из или им их к как когда ко который"
    " ли мы на не него но о об он она они от по под при с со так то только у что чтобы это",
)

SMALL_WORDS = frozenset(word for listed in _LISTS for word in listed.split())
"""In lower case."""
