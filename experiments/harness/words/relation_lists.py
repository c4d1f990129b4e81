"""Relationships to look at in any word vectors, and the classic table of learned ones."""

from typing import NamedTuple

# In the form that `jaxemb.data.word_pairs` reads. The first four are the linear substructures that
# GloVe's authors drew (Pennington, Socher and Manning 2014).
PAIRS = """
: man-woman
man woman
king queen
prince princess
brother sister
father mother
son daughter
husband wife
uncle aunt
nephew niece
grandfather grandmother
actor actress
duke duchess
emperor empress
count countess
god goddess
heir heiress
sir madam
: company-ceo
apple jobs
microsoft ballmer
amazon bezos
facebook zuckerberg
tesla musk
oracle ellison
virgin branson
ford mulally
disney eisner
berkshire buffett
twitter dorsey
verizon mcadam
: city-zip
honolulu 96801
manhattan 10001
hollywood 90028
chicago 60601
miami 33101
boston 02108
seattle 98101
denver 80202
austin 78701
dallas 75201
phoenix 85001
philadelphia 19103
: comparative-superlative
stronger strongest
larger largest
smaller smallest
higher highest
lower lowest
bigger biggest
faster fastest
longer longest
shorter shortest
older oldest
younger youngest
colder coldest
deeper deepest
stranger strangest
harder hardest
cheaper cheapest
: element-symbol
copper cu
zinc zn
gold au
silver ag
iron fe
lead pb
tin sn
mercury hg
sodium na
potassium k
oxygen o
hydrogen h
carbon c
nitrogen n
uranium u
: country-food
japan sushi
italy pizza
germany bratwurst
france croissant
spain paella
mexico tacos
korea kimchi
india curry
greece feta
scotland haggis
russia borscht
hungary goulash
: person-profession
einstein scientist
mozart composer
picasso painter
messi midfielder
shakespeare playwright
newton physicist
darwin naturalist
beethoven composer
aristotle philosopher
monet painter
edison inventor
chaplin actor
: singular-plural
row rows
column columns
value values
array arrays
point points
file files
thread threads
word words
number numbers
name names
country countries
child children
city cities
animal animals
year years
"""


class Row(NamedTuple):
    """A pair, and the words whose partners it is to give."""

    a: str
    b: str
    asked: tuple[str, ...]


# Mikolov et al. 2013, arXiv:1301.3781, table 8.
CLASSIC = (
    Row("france", "paris", ("italy", "japan", "florida")),
    Row("big", "bigger", ("small", "cold", "quick")),
    Row("miami", "florida", ("baltimore", "dallas", "kona")),
    Row("einstein", "scientist", ("messi", "mozart", "picasso")),
    Row("sarkozy", "france", ("berlusconi", "merkel", "koizumi")),
    Row("copper", "cu", ("zinc", "gold", "uranium")),
    Row("berlusconi", "silvio", ("sarkozy", "putin", "obama")),
    Row("microsoft", "windows", ("google", "ibm", "apple")),
    Row("microsoft", "ballmer", ("google", "ibm", "apple")),
    Row("japan", "sushi", ("germany", "france", "usa")),
)
