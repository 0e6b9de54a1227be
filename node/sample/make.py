#!/usr/bin/env python3
"""Makes the sample store: run `python3 make.py` in this folder and commit what changes.

Everything in it is invented, brands, people and telephone numbers included (numbers from the range
555-0100 to 555-0199, which nobody has); only the IFPS PLU codes of produce are the real ones. There
is no randomness: the same script gives the same files, byte for byte. GTINs lie in ranges that GS1
keeps for use inside a store: 041 for packed goods, 29 for what the store packs itself. Neither is
one of the prefixes of price- or weight-embedded codes (02, 21, 23).
"""

import base64
import csv
import re
import struct
import zlib

DEPARTMENTS = [
    "Produce", "Bakery", "Dairy & Eggs", "Meat & Seafood", "Deli & Cheese", "Frozen",
    "Pantry", "Snacks & Sweets", "Drinks", "Beer, Wine & Spirits", "Household", "Health & Beauty",
]

TAXES = [
    ("none", "No tax", "0"),
    ("reduced", "Reduced sales tax", "2.00"),
    ("standard", "Sales tax", "8.25"),
]

# What a brand asks for, against the prices below. Corner Pantry is the store's own.
BRANDS = {
    "Corner Pantry": 0.85, "Ambervale": 1.00, "Bellweather": 1.00, "Brightsill": 1.00,
    "Casa Maravel": 1.00, "Cloverlea": 1.00, "Fernhollow": 1.10, "Juniper Row": 1.15,
    "Kettleby": 1.05, "Larkfield": 1.00, "Lune": 1.15, "Mossbank": 1.10, "Nonna Orsola": 1.10,
    "Oxbow": 1.05, "Pebblebrook": 1.00, "Quillwood": 1.20, "Saltmarsh": 1.05, "Snowmere": 1.00,
    "Tamberley": 1.10, "Thistledown": 1.15, "Tidewrack": 1.05, "Windrow": 1.00,
}

# The brands of what the store packs itself in its bakery and at its deli counter.
HERE = ("Lune", "Corner Pantry")

# PLU code, description, price, sold by. Source of the codes: IFPS.
PLU = """
4011 Bananas 1.52 kg
94011 Bananas, organic 2.18 kg
4046 Avocado, small 0.99 each
4225 Avocado, large 1.49 each
94225 Avocado, large, organic 1.99 each
4016 Apples, Red Delicious 3.73 kg
4017 Apples, Granny Smith 3.95 kg
94017 Apples, Granny Smith, organic 5.05 kg
4019 Apples, McIntosh 3.73 kg
4020 Apples, Golden Delicious 3.73 kg
4103 Apples, Braeburn 4.17 kg
4131 Apples, Fuji 4.17 kg
4135 Apples, Gala 3.95 kg
94135 Apples, Gala, organic 5.27 kg
3283 Apples, Honeycrisp 6.59 kg
4409 Pears, Bartlett 4.39 kg
4413 Pears, Bosc 4.61 kg
4416 Pears, d'Anjou 4.39 kg
4012 Oranges, navel 3.29 kg
4388 Oranges, Valencia 3.29 kg
4450 Clementines 4.83 kg
4053 Lemons 0.79 each
4048 Limes 0.50 each
4047 Grapefruit, red 1.29 each
4022 Grapes, green seedless 5.49 kg
4023 Grapes, red seedless 5.49 kg
4056 Grapes, black seedless 6.15 kg
4030 Kiwifruit 0.69 each
4051 Mango 1.79 each
4394 Papaya 3.29 kg
4430 Pineapple 3.99 each
4261 Coconut 2.99 each
4038 Peaches, yellow 5.49 kg
4036 Nectarines, yellow 5.49 kg
4040 Plums, black 5.05 kg
4042 Plums, red 5.05 kg
4218 Apricots 7.69 kg
4045 Cherries, red 10.99 kg
4032 Watermelon, seedless 1.29 kg
4050 Cantaloupe 3.49 each
4034 Honeydew 4.49 each
4060 Broccoli 4.39 kg
4079 Cauliflower 3.99 each
4069 Cabbage, green 1.74 kg
4554 Cabbage, red 2.18 kg
4562 Carrots, loose 2.18 kg
4094 Carrots, bunch 2.29 each
4070 Celery 1.99 each
4062 Cucumber 0.99 each
4593 Cucumber, English 1.79 each
4081 Eggplant 4.39 kg
4515 Fennel 2.99 each
4608 Garlic 0.79 each
4612 Ginger root 8.79 kg
4066 Green beans 5.49 kg
4080 Asparagus 8.79 kg
4084 Artichoke 2.49 each
4539 Beets, bunch 2.99 each
4545 Bok choy 4.39 kg
4550 Brussels sprouts 6.59 kg
4077 Corn, white 0.69 each
4078 Corn, yellow 0.69 each
4627 Kale 2.49 each
4629 Leeks 5.49 kg
4061 Lettuce, iceberg 1.99 each
4075 Lettuce, red leaf 2.29 each
4076 Lettuce, green leaf 2.29 each
4640 Lettuce, romaine 2.29 each
4090 Spinach, bunch 2.49 each
4085 Mushrooms, white 8.79 kg
4650 Mushrooms, portabella 13.19 kg
4651 Mushrooms, shiitake 26.39 kg
4082 Onions, red 3.29 kg
4093 Onions, yellow 2.18 kg
4663 Onions, white 2.84 kg
4068 Onions, green, bunch 0.99 each
4662 Shallots 8.79 kg
4065 Peppers, green bell 4.39 kg
4088 Peppers, red bell 6.59 kg
4689 Peppers, yellow bell 6.59 kg
4693 Peppers, jalapeno 4.39 kg
4072 Potatoes, russet 2.18 kg
4073 Potatoes, red 2.84 kg
4727 Potatoes, yellow 2.84 kg
4074 Sweet potatoes 3.29 kg
4089 Radishes, bunch 1.49 each
4067 Zucchini 3.73 kg
4750 Squash, acorn 3.29 kg
4759 Squash, butternut 3.29 kg
4064 Tomatoes, large 5.49 kg
4087 Tomatoes, Roma 3.73 kg
4664 Tomatoes, on the vine 5.49 kg
4885 Basil, bunch 2.49 each
4889 Cilantro, bunch 0.99 each
4891 Dill, bunch 1.79 each
4896 Mint, bunch 1.99 each
4899 Parsley, curly, bunch 1.29 each
4901 Parsley, Italian, bunch 1.29 each
"""

# Scale code, department, description, price per kilogram: weighed, and labelled with the price.
SCALE = """
20101 Deli & Cheese|Roast turkey breast, sliced|26.99
20102 Deli & Cheese|Honey ham, sliced|22.99
20103 Deli & Cheese|Smoked ham, sliced|23.99
20104 Deli & Cheese|Roast beef, sliced|30.99
20105 Deli & Cheese|Genoa salami, sliced|27.99
20106 Deli & Cheese|Pastrami, sliced|31.99
20107 Deli & Cheese|Swiss cheese, sliced|21.99
20108 Deli & Cheese|Provolone, sliced|19.99
20109 Deli & Cheese|Aged cheddar, cut|24.99
20110 Deli & Cheese|Brie, cut|28.99
20111 Deli & Cheese|Potato salad|10.99
20112 Deli & Cheese|Coleslaw|9.99
20113 Deli & Cheese|Olive bar|21.99
20114 Deli & Cheese|Chicken salad|17.99
20201 Meat & Seafood|Ground beef, 80% lean|12.99
20202 Meat & Seafood|Ground beef, 90% lean|15.99
20203 Meat & Seafood|Beef chuck roast|17.99
20204 Meat & Seafood|Ribeye steak|37.99
20205 Meat & Seafood|Sirloin steak|24.99
20206 Meat & Seafood|Pork chops, bone in|10.99
20207 Meat & Seafood|Pork tenderloin|13.99
20208 Meat & Seafood|Chicken breast, boneless|11.99
20209 Meat & Seafood|Chicken thighs|7.99
20210 Meat & Seafood|Whole chicken|5.49
20211 Meat & Seafood|Lamb chops|33.99
20212 Meat & Seafood|Atlantic salmon fillet|28.99
20213 Meat & Seafood|Cod fillet|24.99
20214 Meat & Seafood|Shrimp, raw, peeled|26.99
20215 Meat & Seafood|Italian sausage, fresh|12.99
"""

# One product line a line: its name | brands | kinds | sizes with prices | how it is taxed and so on.
# Every brand, kind and size of it is an item. A pattern after = says how kind and name make the
# description, where it is not the kind and then the name.
LINES = {
    "Produce": """
Salad Mix = {}|Fernhollow, Corner Pantry|Spring Mix, Caesar Kit, Arugula, Baby Spinach, Garden Salad|5 oz 3.49, 10 oz 5.29
Berries = {}|Pebblebrook, Fernhollow, Corner Pantry|Blueberries, Raspberries, Blackberries, Strawberries|6 oz 3.99, 12 oz 6.49
Cut Fruit = Cut {}|Corner Pantry|Pineapple, Watermelon, Melon Medley, Mango|16 oz 5.49
Baby Carrots|Windrow, Corner Pantry|Peeled, Rainbow|16 oz 1.99, 32 oz 3.49
Snack Tomatoes|Pebblebrook, Fernhollow|Cherry, Grape, Golden|10 oz 3.29
Potatoes|Windrow, Corner Pantry|Russet, Red, Yellow, Fingerling|5 lb bag 4.99
Apples|Windrow, Pebblebrook|Gala, Fuji, Granny Smith|3 lb bag 4.99
Herbs = Fresh {}|Fernhollow|Basil, Thyme, Rosemary, Sage, Chives|0.75 oz 2.49
Tofu|Fernhollow, Corner Pantry|Silken, Firm, Extra Firm|14 oz 2.69
""",
    "Bakery": """
Sandwich Bread|Lune, Bellweather, Corner Pantry|White, Whole Wheat, Honey Oat, Multigrain, Potato|20 oz 3.29
Hearth Loaf|Lune|Sourdough, Country, Rye, Olive, Walnut|24 oz 5.49
Bagels|Bellweather, Lune, Corner Pantry|Plain, Everything, Sesame, Cinnamon Raisin, Onion|6 ct 3.99
English Muffins|Bellweather, Corner Pantry|Original, Whole Wheat, Sourdough|6 ct 3.49
Buns|Bellweather, Corner Pantry|Hamburger, Hot Dog, Brioche, Slider|8 ct 3.29
Tortillas|Casa Maravel, Corner Pantry|Flour, Corn, Whole Wheat, Spinach|10 ct 3.19, 20 ct 4.99
Pita|Casa Maravel|White, Whole Wheat, Mini|6 ct 3.49
Muffins|Lune|Blueberry, Bran, Chocolate Chip, Corn, Lemon Poppy|4 ct 4.99
Croissants|Lune|Butter, Almond, Chocolate|4 ct 5.99
Donuts|Bellweather|Glazed, Powdered, Cinnamon, Chocolate|6 ct 4.49
Pie|Bellweather|Apple, Cherry, Pumpkin, Pecan, Key Lime|8 in 8.99
Layer Cake|Lune|Chocolate, Vanilla, Carrot, Red Velvet|7 in 16.99
Oven Cookies = Fresh {} Cookies|Lune|Oatmeal, Chocolate Chip, Sugar, Peanut Butter|12 ct 5.49
""",
    "Dairy & Eggs": """
Milk|Cloverlea, Thistledown, Corner Pantry|Whole, 2%, 1%, Fat Free|half gallon 2.99, gallon 4.49|tax=none
Chocolate Milk|Cloverlea|Whole, Low Fat|quart 2.79
Greek Yogurt|Cloverlea, Thistledown, Corner Pantry|Plain, Vanilla, Strawberry, Blueberry, Peach, Honey, Cherry, Coconut|5.3 oz 1.29, 32 oz 5.79
Yogurt|Larkfield, Corner Pantry|Plain, Vanilla, Strawberry, Raspberry, Lemon, Banana|6 oz 0.89, 32 oz 3.99
Butter|Cloverlea, Thistledown, Corner Pantry|Salted, Unsalted|8 oz 3.49, 16 oz 5.99
Cream|Cloverlea, Corner Pantry|Heavy Whipping, Half & Half, Light|pint 3.49, quart 5.49
Sour Cream|Cloverlea, Corner Pantry|Original, Light|8 oz 1.79, 16 oz 2.79
Cottage Cheese|Larkfield, Corner Pantry|Small Curd, Large Curd, Low Fat|16 oz 3.29, 24 oz 4.49
Cream Cheese|Larkfield, Corner Pantry|Plain, Chive, Strawberry, Whipped|8 oz 3.19
Shredded Cheese|Larkfield, Corner Pantry|Cheddar, Mozzarella, Mexican Blend, Parmesan|8 oz 3.49, 16 oz 5.99
Cheese Slices|Larkfield, Corner Pantry|American, Cheddar, Swiss, Pepper Jack|8 oz 3.79
Cheese Block|Thistledown, Larkfield|Mild Cheddar, Sharp Cheddar, Colby Jack, Monterey Jack|8 oz 3.99, 16 oz 6.99
Eggs|Windrow, Thistledown, Corner Pantry|Large White, Large Brown, Extra Large, Organic|dozen 3.49, 18 ct 4.99|tax=none
Oat Drink|Fernhollow, Corner Pantry|Original, Vanilla, Unsweetened, Barista|half gallon 3.99
Almond Drink|Fernhollow, Corner Pantry|Original, Vanilla, Unsweetened|half gallon 3.49
Orange Juice|Pebblebrook, Corner Pantry|No Pulp, Some Pulp, With Calcium|52 oz 4.29
""",
    "Meat & Seafood": """
Bacon|Oxbow, Windrow, Corner Pantry|Hickory, Applewood, Thick Cut, Peppered|12 oz 6.49, 24 oz 11.49
Sausage Links|Oxbow, Corner Pantry|Breakfast, Bratwurst, Italian, Chorizo, Kielbasa|14 oz 4.99
Hot Dogs|Oxbow, Corner Pantry|Beef, Turkey, Cheese|8 ct 4.79
Ground Turkey|Windrow|Lean, Extra Lean|16 oz 5.49
Chicken Nuggets|Oxbow, Corner Pantry|Classic, Spicy, Whole Grain|24 oz 7.99
Meatballs|Nonna Orsola, Oxbow|Beef, Turkey, Italian Style|20 oz 7.49
Smoked Salmon|Tidewrack|Classic, Peppered, Dill|4 oz 7.99
Crab Cakes|Tidewrack|Classic, Cajun|8 oz 9.99
Breaded Fish = Breaded {}|Tidewrack, Corner Pantry|Cod, Haddock, Tilapia|18 oz 8.49
""",
    "Deli & Cheese": """
Hummus|Casa Maravel, Fernhollow, Corner Pantry|Classic, Garlic, Red Pepper, Pine Nut, Spicy|10 oz 3.99
Fresh Salsa = Fresh {} Salsa|Casa Maravel|Mild, Medium, Hot, Mango, Verde|16 oz 4.49
Guacamole|Casa Maravel|Mild, Spicy|8 oz 4.29
Fresh Mozzarella|Nonna Orsola|Ball, Pearls, Sliced, Burrata|8 oz 5.49
Soft Cheese|Mossbank|Brie, Camembert, Goat, Herb Goat|7 oz 6.49
Hard Cheese|Mossbank, Nonna Orsola|Parmesan, Asiago, Pecorino, Manchego, Gouda, Gruyere|7 oz 7.49
Lunch Meat|Oxbow, Windrow, Corner Pantry|Ham, Turkey, Roast Beef, Chicken, Bologna|9 oz 4.99
Salami|Nonna Orsola|Genoa, Hard, Soppressata, Peppered|8 oz 6.99
Fresh Soup = Fresh {} Soup|Kettleby|Tomato, Chicken Noodle, Lentil, Broccoli Cheddar, Clam Chowder|24 oz 6.49
Sandwich|Corner Pantry|Turkey Club, Ham & Swiss, Caprese, Tuna, Egg Salad, Chicken Pesto|each 6.99|tax=standard
Sushi = {} Roll|Tidewrack|California, Salmon, Veggie, Spicy Tuna, Rainbow|8 pc 9.99|tax=standard
Pickles|Kettleby, Corner Pantry|Dill Spears, Whole Dill, Bread & Butter, Half Sour|24 oz 4.49
""",
    "Frozen": """
Ice Cream|Snowmere, Thistledown, Corner Pantry|Vanilla, Chocolate, Strawberry, Mint Chip, Cookie Dough, Coffee, Pistachio, Butter Pecan|pint 4.49, 48 oz 6.49
Sorbet|Snowmere|Mango, Raspberry, Lemon, Coconut|pint 4.79
Ice Pops|Snowmere, Corner Pantry|Cherry, Orange, Grape, Fudge, Lime|12 ct 4.29
Pizza|Nonna Orsola, Kettleby, Corner Pantry|Cheese, Pepperoni, Supreme, Mushroom, Margherita, Four Cheese|12 in 7.49
Frozen Vegetables = Frozen {}|Windrow, Corner Pantry|Peas, Corn, Green Beans, Broccoli, Mixed, Spinach, Edamame, Cauliflower Rice|12 oz 2.29, 32 oz 4.99
Frozen Fruit = Frozen {}|Pebblebrook, Corner Pantry|Strawberries, Blueberries, Mango, Mixed Berries, Cherries|16 oz 4.49, 48 oz 10.99
French Fries|Windrow, Corner Pantry|Straight, Crinkle, Waffle, Sweet Potato, Steak Cut|28 oz 4.29
Frozen Dinner|Kettleby, Bellweather|Lasagna, Chicken Alfredo, Beef Stew, Mac & Cheese, Pad Thai, Enchiladas, Veggie Bowl|10 oz 4.49
Burrito|Casa Maravel|Bean & Cheese, Beef, Chicken, Breakfast|5 oz 1.79
Dumplings|Juniper Row|Pork, Chicken, Vegetable, Shrimp|16 oz 6.99
Waffles|Bellweather, Corner Pantry|Buttermilk, Blueberry, Whole Grain, Chocolate Chip|10 ct 3.79
Veggie Burgers|Fernhollow|Black Bean, Garden, Mushroom|4 ct 5.49
""",
    "Pantry": """
Pasta = {}|Nonna Orsola, Ambervale, Corner Pantry|Spaghetti, Penne, Fusilli, Linguine, Farfalle, Rigatoni, Lasagna, Orzo|16 oz 1.89
Pasta Sauce|Nonna Orsola, Corner Pantry|Marinara, Tomato Basil, Arrabbiata, Alfredo, Vodka, Four Cheese|24 oz 4.29
Rice|Ambervale, Corner Pantry|Long Grain, Jasmine, Basmati, Brown, Arborio|2 lb 3.49, 5 lb 7.49
Grains = {}|Ambervale|Quinoa, Couscous, Farro, Bulgur, Barley|16 oz 4.29
Dry Beans = {}|Casa Maravel, Corner Pantry|Black Beans, Pinto Beans, Kidney Beans, Chickpeas, Lentils, Navy Beans|16 oz bag 1.99
Canned Beans = {}|Casa Maravel, Corner Pantry|Black Beans, Pinto Beans, Kidney Beans, Chickpeas, Refried Beans, Cannellini Beans|15 oz can 1.19
Canned Tomatoes = {} Tomatoes|Nonna Orsola, Corner Pantry|Whole, Diced, Crushed, Fire Roasted|14 oz can 1.29, 28 oz can 2.19
Soup|Kettleby, Corner Pantry|Tomato, Chicken Noodle, Minestrone, Mushroom, Lentil, Split Pea, Vegetable|14 oz 2.19
Broth|Kettleby, Corner Pantry|Chicken, Beef, Vegetable, Bone|32 oz 2.99
Tuna|Tidewrack, Corner Pantry|In Water, In Olive Oil, Lemon Pepper|5 oz 1.79
Canned Vegetables = {}|Windrow, Corner Pantry|Corn, Peas, Green Beans, Carrots, Beets|15 oz can 1.09
Canned Fruit = {}|Pebblebrook, Corner Pantry|Peaches, Pears, Pineapple, Fruit Cocktail|15 oz can 1.89
Olive Oil|Nonna Orsola, Casa Maravel|Extra Virgin, Light, Garlic|17 oz 8.99, 34 oz 15.99
Vinegar|Ambervale, Corner Pantry|White, Cider, Balsamic, Red Wine, Rice|16 oz 3.29
Flour|Ambervale, Corner Pantry|All Purpose, Bread, Whole Wheat, Self Rising|5 lb 4.29
Sugar|Ambervale, Corner Pantry|Granulated, Brown, Powdered, Raw Cane|2 lb 2.79
Baking Mix|Bellweather|Pancake, Brownie, Yellow Cake, Cornbread, Biscuit|18 oz 2.99
Cereal = {}|Bellweather, Corner Pantry|Corn Flakes, Honey Oats, Raisin Bran, Granola, Crisp Rice, Cocoa Rings, Cinnamon Squares|12 oz 4.29, 18 oz 5.69
Oatmeal|Windrow, Corner Pantry|Rolled, Steel Cut, Maple, Apple Cinnamon|18 oz 3.49
Peanut Butter|Quillwood, Corner Pantry|Creamy, Crunchy, Honey|16 oz 3.29, 28 oz 5.29
Jam|Tamberley, Corner Pantry|Strawberry, Raspberry, Apricot, Grape, Fig, Orange Marmalade|12 oz 3.99
Honey|Tamberley|Clover, Wildflower, Orange Blossom|12 oz 6.49
Spice = {}|Juniper Row, Corner Pantry|Black Pepper, Cinnamon, Cumin, Paprika, Oregano, Chili, Turmeric, Garlic, Ginger, Nutmeg, Curry, Thyme|2 oz 4.49
Salt|Juniper Row, Corner Pantry|Table, Sea, Kosher|26 oz 1.99
Ketchup|Bellweather, Corner Pantry|Classic, No Sugar|20 oz 3.29, 38 oz 4.99
Mustard|Bellweather, Tamberley|Yellow, Dijon, Whole Grain, Honey|8 oz 2.79
Mayonnaise|Bellweather, Corner Pantry|Classic, Light, Olive Oil|30 oz 5.29
Hot Sauce|Casa Maravel|Original, Habanero, Chipotle, Verde|5 oz 2.49
Salad Dressing|Bellweather, Corner Pantry|Ranch, Italian, Caesar, Balsamic, Blue Cheese, French|16 oz 3.49
Salsa|Casa Maravel, Corner Pantry|Mild, Medium, Hot|16 oz 3.79
Coffee|Quillwood, Juniper Row, Corner Pantry|Breakfast, Dark Roast, Colombian, Decaf, Espresso|12 oz 8.99, 24 oz 15.99
Tea|Juniper Row, Corner Pantry|English Breakfast, Earl Grey, Green, Chamomile, Mint, Rooibos, Ginger Lemon|20 ct 3.99
Maple Syrup|Tamberley|Amber, Dark|12 oz 9.99
""",
    "Snacks & Sweets": """
Potato Chips|Saltmarsh, Corner Pantry|Sea Salt, Barbecue, Sour Cream & Onion, Vinegar, Jalapeno, Cheddar|2 oz 1.49, 8 oz 3.99|tax=standard
Tortilla Chips|Casa Maravel, Corner Pantry|Yellow, White, Blue, Lime|11 oz 3.79|tax=standard
Pretzels|Saltmarsh|Twists, Rods, Sourdough, Honey Mustard|14 oz 3.49|tax=standard
Popcorn|Saltmarsh, Corner Pantry|Butter, Sea Salt, Kettle, White Cheddar|3 ct 2.99, 6 oz 3.79|tax=standard
Crackers|Saltmarsh, Corner Pantry|Wheat, Butter, Rosemary, Cheese, Saltine, Seeded|8 oz 3.49
Nuts = {}|Quillwood, Corner Pantry|Almonds, Cashews, Peanuts, Walnuts, Pistachios, Mixed Nuts|8 oz 6.49, 16 oz 10.99
Trail Mix|Quillwood|Classic, Tropical, Chocolate, Berry|10 oz 5.99
Granola Bars|Bellweather, Quillwood, Corner Pantry|Oats & Honey, Chocolate Chip, Peanut Butter, Almond, Apple|6 ct 3.79
Fruit Snacks|Pebblebrook|Berry, Tropical, Apple, Cherry|10 ct 3.29
Cookies|Bellweather, Corner Pantry|Chocolate Chip, Sandwich, Oatmeal, Shortbread, Ginger, Lemon|12 oz 3.79|tax=standard
Chocolate Bar|Juniper Row, Lune|Milk, Dark 70%, Dark 85%, Sea Salt, Hazelnut, Orange, Almond|3 oz 2.99|tax=standard
Chocolate Candy = Chocolate {}|Juniper Row|Truffles, Caramels, Peanut Cups, Mints, Malted Balls|6 oz 4.99|tax=standard
Gummies = Gummy {}|Brightsill|Bears, Worms, Peach Rings, Sour Stars, Cola Bottles|7 oz 2.49|tax=standard
Hard Candy|Brightsill|Butterscotch, Peppermint, Fruit, Ginger, Root Beer|6 oz 2.29|tax=standard
Chewing Gum|Brightsill|Peppermint, Spearmint, Cinnamon, Wintergreen|each 1.59|tax=standard
Rice Cakes|Windrow|Plain, Caramel, Cheddar|6 oz 2.99
Jerky|Oxbow|Original, Teriyaki, Peppered, Turkey|3 oz 5.99
Applesauce|Pebblebrook, Corner Pantry|Original, Cinnamon, Unsweetened|6 ct 3.29
""",
    "Drinks": """
Cola|Brightsill, Corner Pantry|Classic, Diet, Zero, Cherry|20 oz 1.99, 2 liter 2.49, 12 x 12 oz 7.49|tax=standard deposit
Lemon-Lime Soda|Brightsill, Corner Pantry|Classic, Zero|20 oz 1.99, 2 liter 2.49, 12 x 12 oz 7.49|tax=standard deposit
Root Beer|Kettleby|Classic, Diet|12 oz 1.79, 2 liter 2.69|tax=standard deposit
Ginger Ale|Kettleby|Classic, Diet, Extra Spicy|12 oz 1.79, 2 liter 2.69|tax=standard deposit
Sparkling Water|Mossbank, Corner Pantry|Plain, Lime, Lemon, Grapefruit, Berry, Peach|1 liter 1.49, 8 x 12 oz 4.99|tax=standard deposit
Spring Water|Mossbank, Corner Pantry|Still|16.9 oz 1.29, 1.5 liter 1.99, 24 x 16.9 oz 5.99|tax=none deposit
Energy Drink|Brightsill|Original, Sugar Free, Tropical, Berry|12 oz 2.79|tax=standard deposit
Sports Drink|Brightsill, Corner Pantry|Lemon-Lime, Orange, Fruit Punch, Cool Blue|28 oz 1.99|tax=standard deposit
Iced Tea|Juniper Row, Corner Pantry|Lemon, Peach, Green, Unsweetened|18 oz 1.99, half gallon 2.99|tax=standard deposit
Lemonade|Pebblebrook, Corner Pantry|Classic, Pink, Strawberry|18 oz 1.99, half gallon 2.99|tax=standard deposit
Cold Brew = {} Cold Brew|Quillwood|Black, Vanilla, Mocha|11 oz 3.49, 48 oz 6.49|tax=standard deposit
Kombucha|Fernhollow|Ginger, Berry, Lemon, Hibiscus|16 oz 3.79|tax=standard deposit
Apple Juice|Pebblebrook, Corner Pantry|Clear, Cloudy|64 oz 3.49
Cranberry Juice|Pebblebrook, Corner Pantry|Classic, Apple, Grape, Light|64 oz 4.29
Vegetable Juice|Windrow|Original, Spicy, Low Sodium|46 oz 3.99
Juice Boxes|Pebblebrook|Apple, Grape, Fruit Punch|8 ct 3.99
Coconut Water|Casa Maravel|Plain, Pineapple, Mango|16 oz 2.99
Tonic|Mossbank|Indian, Elderflower, Light|4 x 6.8 oz 5.99|tax=standard deposit
""",
    "Beer, Wine & Spirits": """
Lager|Oxbow, Kettleby|Classic, Light, Amber|16 oz 2.49, 6 x 12 oz 9.99, 12 x 12 oz 16.99|tax=standard age=21 deposit
Pale Ale|Kettleby, Tidewrack|American, Session, Citrus|16 oz 2.99, 6 x 12 oz 10.99|tax=standard age=21 deposit
India Pale Ale|Kettleby, Tidewrack|West Coast, Hazy, Double|16 oz 3.49, 6 x 12 oz 11.99|tax=standard age=21 deposit
Stout|Kettleby|Dry, Milk, Oatmeal|16 oz 3.29, 6 x 12 oz 11.49|tax=standard age=21 deposit
Wheat Beer|Oxbow|Classic, Orange|16 oz 2.99, 6 x 12 oz 10.49|tax=standard age=21 deposit
Hard Cider|Pebblebrook|Dry, Semi-Sweet, Pear|16 oz 3.29, 6 x 12 oz 10.99|tax=standard age=21 deposit
Hard Seltzer|Mossbank|Lime, Black Cherry, Mango, Grapefruit|12 x 12 oz 17.99|tax=standard age=21 deposit
Red Wine = {}|Quillwood, Ambervale, Casa Maravel|Cabernet Sauvignon, Merlot, Pinot Noir, Malbec, Zinfandel, Red Blend|750 ml 13.99|tax=standard age=21
White Wine = {}|Quillwood, Ambervale, Casa Maravel|Chardonnay, Sauvignon Blanc, Pinot Grigio, Riesling|750 ml 12.99|tax=standard age=21
Rose Wine = {} Rose|Ambervale, Quillwood|Dry, Sparkling|750 ml 12.99|tax=standard age=21
Sparkling Wine = {}|Lune|Brut, Extra Dry Sparkling Wine, Prosecco|750 ml 15.99|tax=standard age=21
Vodka|Snowmere|Classic, Citrus, Vanilla|375 ml 10.99, 750 ml 18.99|tax=standard age=21
Gin|Juniper Row|London Dry, Botanical, Pink|375 ml 13.99, 750 ml 24.99|tax=standard age=21
Rum|Saltmarsh|White, Gold, Spiced|375 ml 10.99, 750 ml 18.99|tax=standard age=21
Whiskey = {}|Quillwood|Bourbon, Rye Whiskey, Single Malt|375 ml 16.99, 750 ml 29.99|tax=standard age=21
Tequila|Casa Maravel|Blanco, Reposado, Anejo|375 ml 15.99, 750 ml 27.99|tax=standard age=21
""",
    "Household": """
Paper Towels|Brightsill, Corner Pantry|Select, Full Sheet|2 rolls 4.49, 6 rolls 10.99|tax=standard
Bath Tissue|Brightsill, Snowmere, Corner Pantry|Soft, Strong|4 rolls 4.99, 12 rolls 11.99|tax=standard
Facial Tissue|Brightsill, Corner Pantry|Soft, Lotion|1 box 1.99, 4 boxes 6.49|tax=standard
Napkins|Brightsill, Corner Pantry|White, Printed|200 ct 3.49|tax=standard
Laundry Detergent|Bellweather, Corner Pantry|Fresh, Free & Clear, Lavender|46 oz 7.99, 92 oz 13.99|tax=standard
Fabric Softener|Bellweather|Fresh, Lavender, Unscented|40 oz 5.49|tax=standard
Dish Soap|Brightsill, Corner Pantry|Lemon, Original, Apple, Unscented|16 oz 2.79, 28 oz 4.29|tax=standard
Dishwasher Tablets|Brightsill, Corner Pantry|Lemon, Fresh|20 ct 6.49, 40 ct 10.99|tax=standard
All-Purpose Cleaner|Brightsill, Corner Pantry|Lemon, Lavender, Pine, Unscented|32 oz 3.99|tax=standard
Glass Cleaner|Brightsill|Blue, Vinegar|26 oz 3.79|tax=standard
Bleach|Corner Pantry|Regular, Splash Free|64 oz 4.29|tax=standard
Sponges|Brightsill|Scrub, Soft, Steel|3 ct 2.99|tax=standard
Trash Bags|Corner Pantry, Bellweather|Kitchen, Lawn, Small|20 ct 5.99, 40 ct 10.49|tax=standard
Food Bags|Corner Pantry|Sandwich, Quart, Gallon, Snack|50 ct 3.29|tax=standard
Foil and Wrap = {}|Corner Pantry|Aluminum Foil, Plastic Wrap, Parchment, Wax Paper|each 4.29|tax=standard
Paper Plates|Bellweather|9 Inch, 6 Inch, Bowls|40 ct 4.49|tax=standard
Batteries|Brightsill|AA, AAA, C, D, 9 Volt|4 ct 5.99|tax=standard
Light Bulbs|Brightsill|40 W, 60 W, 75 W, 100 W|2 ct 5.49|tax=standard
Candle|Juniper Row|Vanilla, Pine, Linen, Cinnamon, Sea Salt|7 oz 8.99|tax=standard
Dog Food|Oxbow, Corner Pantry|Chicken, Beef, Lamb, Puppy|12 oz 1.99, 6 lb 14.99|tax=standard
Cat Food|Tidewrack, Corner Pantry|Salmon, Tuna, Chicken, Kitten|3 oz 0.99, 3 lb 9.99|tax=standard
Cat Litter|Windrow|Clumping, Unscented|20 lb 9.99|tax=standard
""",
    "Health & Beauty": """
Toothpaste|Brightsill, Corner Pantry|Mint, Whitening, Sensitive, Kids|4 oz 3.49, 6 oz 4.79|tax=standard
Toothbrush|Brightsill, Corner Pantry|Soft, Medium, Kids|1 ct 2.99, 4 ct 7.99|tax=standard
Mouthwash|Brightsill|Mint, Cinnamon, Alcohol Free|16 oz 4.99|tax=standard
Dental Floss|Brightsill|Mint, Waxed, Picks|each 2.99|tax=standard
Shampoo|Lune, Juniper Row, Corner Pantry|Daily, Dry Hair, Color, Volume, Anti-Dandruff|12 oz 5.99|tax=standard
Conditioner|Lune, Juniper Row, Corner Pantry|Daily, Dry Hair, Color, Volume|12 oz 5.99|tax=standard
Body Wash|Lune, Corner Pantry|Lavender, Citrus, Oat, Sea Mineral|18 oz 5.49|tax=standard
Bar Soap|Lune, Corner Pantry|Lavender, Oat, Unscented, Citrus|2 ct 2.99, 6 ct 6.99|tax=standard
Hand Soap|Lune, Corner Pantry|Lavender, Citrus, Basil, Unscented|8 oz 2.49, 34 oz 5.99|tax=standard
Deodorant|Juniper Row, Corner Pantry|Fresh, Unscented, Cedar, Lavender|2.6 oz 4.99|tax=standard
Lotion|Lune, Corner Pantry|Daily, Oat, Unscented, Shea|8 oz 5.49, 16 oz 8.49|tax=standard
Sunscreen|Lune|SPF 30, SPF 50, Kids|6 oz 9.99|tax=standard
Lip Balm|Juniper Row|Mint, Honey, Cherry, Unscented|each 2.49|tax=standard
Razors|Juniper Row, Corner Pantry|2 Blade, 3 Blade, 5 Blade|4 ct 7.99|tax=standard
Shaving Cream|Juniper Row|Sensitive, Cedar, Aloe|7 oz 3.49|tax=standard
Cotton = Cotton {}|Corner Pantry|Swabs, Balls, Rounds|100 ct 2.49|tax=standard
Pain Relief = {}|Corner Pantry|Ibuprofen, Acetaminophen, Aspirin, Naproxen|50 ct 6.49, 100 ct 9.99|tax=none
Cold Relief = {}|Corner Pantry|Daytime Cold Relief, Nighttime Cold Relief, Cough Drops, Throat Spray|each 6.99|tax=none
Allergy Relief|Corner Pantry|24 Hour, 12 Hour, Kids|30 ct 11.99|tax=none
Vitamins = {}|Fernhollow, Corner Pantry|Vitamin C, Vitamin D3, Vitamin B12, Multivitamin, Zinc, Magnesium|60 ct 8.99|tax=standard
Bandages|Corner Pantry|Fabric, Clear, Kids, Large|30 ct 3.79|tax=standard
Diapers|Snowmere, Corner Pantry|Size 1, Size 2, Size 3, Size 4, Size 5|28 ct 9.99|tax=none
Baby Wipes|Snowmere, Corner Pantry|Sensitive, Fresh|72 ct 2.99|tax=none
""",
}

EMPLOYEES = [
    ("101", "Marguerite Oyelaran", "manager", "4071"),
    ("102", "Tobias Lindqvist", "manager", "9326"),
    ("201", "Priya Castellanos", "supervisor", "5518"),
    ("202", "Desmond Achterberg", "supervisor", "7240"),
    ("301", "Nia Fairweather", "cashier", "1357"),
    ("302", "Calder Vukovic", "cashier", "2468"),
    ("303", "Imogen Tanaka", "cashier", "8642"),
    ("304", "Rafael Brightwater", "cashier", "6093"),
]

FIRST_NAMES = """Ada Amir Beatrix Bram Celia Cosmo Delphine Dmitri Elodie Emeka Farah Felix Greta
Gustavo Hana Hugo Ines Ivo Jasmin Joaquin Keiko Kofi Leonie Luca Maeve Mateo Noor Odin Paloma
Quentin Rosalind Soren Tamsin Umar Viola Wendell Xenia Yusuf Zadie Alden""".split()
LAST_NAMES = """Abernathy Bellingham Castellan Dunmore Eberhart Fontaine Greenaway Hollis Ibarra
Jessop Kowalczyk Larkspur Moreau Nakamura Okonjo Pemberton Quimby Rosenthal Sandoval Thackeray
Underhill Vasquez Whitlock Yarrow Zimmerman""".split()


def check_digit(digits):
    """The digit that completes a GTIN (GS1 General Specifications, 7.9)."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin13(prefix, number):
    digits = prefix + str(number).zfill(12 - len(prefix))
    return digits + check_digit(digits)


def shelf_price(amount):
    """A price as shelves have it: to the cent, with a 9 at the end."""
    return f"{max(int(amount * 10 + 0.5) * 10 - 1, 49) / 100:.2f}"


def bottles_and_deposit(size):
    """How a drink's deposit follows from its size: 5 cents a bottle, 10 from one liter on."""
    number, _, one = size.rpartition(" x ")
    big = one.split()[-1] in ("liter", "gallon") or one in ("48 oz", "64 oz")
    return int(number or 1) * (0.10 if big else 0.05)


COLUMNS = ["item_id", "gtin", "plu", "codes", "description", "department", "brand", "price",
           "price_per_kg", "sold_by", "tax", "age_min", "deposit"]


class Items:
    def __init__(self):
        self.rows = []
        self.next_id = {name: 10001 + 1000 * i for i, name in enumerate(DEPARTMENTS)}

    def add(self, department, **cells):
        number = self.next_id[department]
        self.next_id[department] += 1
        row = dict.fromkeys(COLUMNS, "")
        row.update(item_id=str(number), department=department, tax="reduced", **cells)
        self.rows.append(row)
        return row

    def find(self, line, **wanted):
        """The ids of the items of a product line, by brand, kind and size."""
        found = [row["item_id"] for row in self.rows
                 if row.get("line") == line and all(row[key] == wanted[key] for key in wanted)]
        assert found, (line, wanted)
        return found

    def one(self, column, value):
        """The only item with this in this column."""
        rows = [row for row in self.rows if row[column] == value]
        assert len(rows) == 1, (column, value, rows)
        return rows[0]


def produce(items):
    for line in PLU.strip().splitlines():
        plu, rest = line.split(" ", 1)
        description, price, sold_by = rest.rsplit(" ", 2)
        column = "price_per_kg" if sold_by == "kg" else "price"
        row = items.add("Produce", plu=plu, description=description, sold_by=sold_by)
        row.update({column: price, "tax": "none"})


def scale(items):
    for line in SCALE.strip().splitlines():
        code, rest = line.split(" ", 1)
        department, description, price = rest.split("|")
        items.add(department, codes=f"e:{code}", description=description, brand="Corner Pantry",
                  price_per_kg=price, sold_by="kg")


def packed(items, department, line):
    what, brands, kinds, sizes, flags = (line.split("|") + [""])[:5]
    name, _, pattern = what.partition(" = ")
    for size in sizes.split(", "):
        size, price = size.rsplit(" ", 1)
        for brand in brands.split(", "):
            for kind in kinds.split(", "):
                packed_here = department in ("Bakery", "Deli & Cheese") and brand in HERE
                number = 7 * (len(items.rows) + 1300)
                row = items.add(
                    department,
                    gtin=gtin13("29" if packed_here else "041", number),
                    description=f"{brand} {(pattern or '{} ' + name).format(kind)}, {size}",
                    brand=brand,
                    line=name,
                    kind=kind,
                    size=size,
                    price=shelf_price(float(price) * BRANDS[brand]),
                    sold_by="each",
                )
                for flag in flags.split():
                    key, _, value = flag.partition("=")
                    if key == "deposit":
                        row["deposit"] = f"{bottles_and_deposit(size):.2f}"
                    else:
                        row["age_min" if key == "age" else key] = value


def make_items():
    items = Items()
    produce(items)
    scale(items)
    for department in DEPARTMENTS:
        for line in LINES[department].strip().splitlines():
            packed(items, department, line)
    items.rows.sort(key=lambda row: int(row["item_id"]))
    return items


def customers():
    for i in range(200):
        name = f"{FIRST_NAMES[i % 40]} {LAST_NAMES[(i * 7 + i // 40 * 3) % 25]}"
        tier = ["gold", "basic", "silver", "basic", "basic", "silver", "basic", "basic"][i % 8]
        phone = f"({(212, 646)[i // 100]}) 555-{100 + i % 100:04}"
        yield (str(500001 + i), name, tier, phone)


def slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def promotions(items):
    """Twenty promotions: id, name, what it gives, what it is for and when."""
    def some(line, **wanted):
        return {"items": items.find(line, **wanted)}

    def lines(*names, **wanted):
        return {"items": [id for name in names for id in items.find(name, **wanted)]}

    def scale_items(*codes):
        return {"items": [items.one("codes", f"e:{code}")["item_id"] for code in codes]}

    return [
        ("greek-yogurt-10-for-10", "Greek yogurt, 10 for 10.00", n_for(10, "10.00"),
         some("Greek Yogurt", size="5.3 oz")),
        ("pasta-night", "Pasta and sauce, 3 for 6.00", n_for(3, "6.00"),
         lines("Pasta", "Pasta Sauce", brand="Nonna Orsola")),
        ("soup-4-for-7", "Soup, 4 for 7.00", n_for(4, "7.00"), some("Soup")),
        ("beans", "Canned beans: 3 get 10%, 5 get 20%",
         "steps = [{ units = 3, percent_off = 10 }, { units = 5, percent_off = 20 }]",
         some("Canned Beans")),
        ("avocado-buy-2", "Large avocados: buy 2, get 1 free", "cheapest = { of = 3 }",
         {"items": [items.one("plu", "4225")["item_id"]]}),
        ("chips-and-soda", "Chips and a soda, 5.00",
         bundle('price = "5.00", ',
                [some("Potato Chips", brand="Saltmarsh", size="8 oz"),
                 lines("Cola", "Lemon-Lime Soda", "Root Beer", "Ginger Ale", size="2 liter")]), {}),
        ("spend-and-save", "5.00 off from 75.00, 15.00 off from 150.00",
         'total_steps = [{ spend = "75.00", amount_off = "5.00" },'
         ' { spend = "150.00", amount_off = "15.00" }]', {}),
        ("ice-cream-2-for-8", "Ice cream pints, 2 for 8.00", n_for(2, "8.00"),
         some("Ice Cream", size="pint")),
        ("chocolate-3-for-2", "Chocolate bars, 3 for 2", "cheapest = { of = 3 }",
         some("Chocolate Bar")),
        ("soap-and-lotion", "Soap and lotion: 2 different 10%, 3 different 20%",
         "different = [{ titles = 2, percent_off = 10 }, { titles = 3, percent_off = 20 }]",
         {"items": items.find("Body Wash", brand="Lune")
          + items.find("Hand Soap", brand="Lune", size="34 oz")
          + items.find("Lotion", brand="Lune", size="8 oz")}),
        ("own-brand", "Corner Pantry, 5% off with a loyalty card", percent("5"),
         {"brands": ["Corner Pantry"], "tiers": ["basic", "silver", "gold"]}),
        ("lune", "Lune, 10% off", percent("10"),
         {"brands": ["Lune"], "except": {"items": items.find("Sparkling Wine", brand="Lune")}}),
        ("fresh-friday", "Fresh Friday: produce 10% off", percent("10"),
         {"departments": ["produce"], "weekdays": ["fri"]}),
        ("evening-bakery", "Bakery after 18:00, 30% off", percent("30"),
         {"departments": ["bakery"], "times": ["18:00-23:00"]}),
        ("early-cold-brew", "Cold brew before 10:00, 0.50 off", amount("0.50"),
         {**some("Cold Brew", size="11 oz"), "times": ["06:00-10:00"]}),
        ("gold-wine", "Gold members: wine 12.5% off", percent("12.5"),
         {**lines("Red Wine", "White Wine", "Rose Wine", "Sparkling Wine"), "tiers": ["gold"]}),
        ("points", "A point for every dollar with a loyalty card",
         'points_per = { points = 1, spend = "1.00" }', {"tiers": ["basic", "silver", "gold"]}),
        ("lantern-coupon", "Coupon LANTERN: 3.00 off from 30.00",
         'total_amount_off = "3.00"\nneeds = [{ spend = "30.00" }]\ncoupon = "LANTERN"\n'
         'limit = { basket = 1 }', {}),
        ("deli-club", "Silver and gold: deli meats, 2.00 off a kilogram", amount("2.00"),
         {**scale_items("20101", "20102", "20103", "20104", "20105", "20106"),
          "tiers": ["silver", "gold"]}),
        ("weekend-grill", "Weekend grill: buns half price with sausages",
         bundle("", [lines("Sausage Links", "Hot Dogs"), lines("Buns")], 50),
         {"weekdays": ["sat", "sun"]}),
    ]


def bundle(reward, parts, last_percent_off=None):
    """One of each part: a reward for all of it, or a share off the last part."""
    written = []
    for part in parts:
        ids = ", ".join(f'"{id}"' for id in part["items"])
        is_last = part is parts[-1] and last_percent_off is not None
        off = f", percent_off = {last_percent_off}" if is_last else ""
        written.append(f"    {{ items = [{ids}]{off} }},\n")
    return f"set = {{ {reward}parts = [\n" + "".join(written) + "] }"


def n_for(units, price):
    return f'n_for = {{ units = {units}, price = "{price}" }}'


def percent(value):
    return f"percent_off = {value}"


def amount(value):
    return f'amount_off = "{value}"'


def write_csv(name, header, rows):
    with open(name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_list(key, entries):
    text = f"{key} = [" + ", ".join(f'"{entry}"' for entry in entries) + "]\n"
    if len(text) <= 100:
        return text
    lines = [entries[i:i + 10] for i in range(0, len(entries), 10)]
    rows = ["    " + ", ".join(f'"{entry}"' for entry in line) + ",\n" for line in lines]
    return f"{key} = [\n" + "".join(rows) + "]\n"


def write_promotions(items):
    with open("promotions.toml", "w", encoding="utf-8") as file:
        file.write("# The promotions of the sample store. Made by make.py.\nschema = 2\n"
                   "manual_max = { cashier = 5, supervisor = 20, manager = 100 }\n")
        for id, name, gives, limits in promotions(items):
            file.write(f'\n[[promotion]]\nid = "{id}"\nname = "{name}"\n{gives}\n')
            for key, entries in limits.items():
                if key == "except":
                    ids = ", ".join(f'"{id}"' for id in entries["items"])
                    file.write(f"except = {{ items = [{ids}] }}\n")
                else:
                    file.write(write_list(key, entries))


def what_to_scan(items):
    """Twelve codes that show something, with the item that each finds."""
    def gtin(description):
        row = items.one("description", description)
        return row["gtin"], row["item_id"]

    def plu(code):
        return code, items.one("plu", code)["item_id"]

    def label(code, price):
        digits = "02" + code + price
        return digits + check_digit(digits), items.one("codes", f"e:{code}")["item_id"]

    soap = items.one("description", "Brightsill Lemon Dish Soap, 16 oz")["item_id"]
    yield *gtin("Lune Sourdough Hearth Loaf, 24 oz"), "bread, 10% off"
    yield *gtin("Tamberley Strawberry Jam, 12 oz"), "jam, at its plain price"
    yield *gtin("Cloverlea Peach Greek Yogurt, 5.3 oz"), "yogurt: 10 for 10.00, mixed"
    yield *gtin("Saltmarsh Sea Salt Potato Chips, 8 oz"), "chips: 2 for 7.00"
    yield *plu("4225"), "avocado by PLU code, by the piece: 3 for 4.00"
    yield *plu("4011"), "bananas by PLU code: asks for the weight"
    yield *plu("4087"), "Roma tomatoes by PLU code: asks for the weight"
    yield *label("20102", "00678"), "label from the scale: ham for 6.78"
    yield *label("20212", "01450"), "label from the scale: salmon for 14.50"
    yield *gtin("Kettleby Hazy India Pale Ale, 16 oz"), "beer: asks for the age, has a deposit"
    yield *gtin("Brightsill Classic Cola, 2 liter"), "cola: 2 for 4.00, deposit 0.10 each"
    yield soap, soap, "dish soap by its item number: 0.75 off"


def make_logo():
    """A lantern over a street, 192 by 96 dots, as a PNG file in Base64."""
    wide, high = 192, 96
    dots = [[False] * wide for _ in range(high)]

    def fill(left, top, right, bottom, black=True):
        for y in range(top, bottom):
            for x in range(left, right):
                dots[y][x] = black

    def slope(middle, top, bottom, half_top, half_bottom):
        for y in range(top, bottom):
            half = half_top + (half_bottom - half_top) * (y - top) // max(1, bottom - top - 1)
            fill(middle - half, y, middle + half, y + 1)

    fill(92, 0, 100, 8)
    slope(96, 8, 24, 4, 30)
    slope(96, 24, 64, 28, 20)
    for left, right in ((74, 93), (99, 118)):
        for y in range(30, 58):
            inset = (y - 30) * 8 // 28
            first, last = (left + inset, right) if left < 96 else (left, right - inset)
            fill(first, y, last, y + 1, black=False)
    slope(96, 64, 72, 24, 14)
    fill(93, 72, 99, 90)
    fill(0, 90, wide, 96)
    for x in range(8, wide, 32):
        fill(x, 92, x + 16, 94, black=False)
    rows = b""
    for row in dots:
        bits = "".join("0" if black else "1" for black in row)
        rows += b"\0" + int(bits, 2).to_bytes(wide // 8, "big")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9))
    return base64.b64encode(png + chunk(b"IEND", b"")).decode()


def write_settings():
    with open("settings.toml", "w", encoding="utf-8") as file:
        file.write(f'''# The settings of the sample store. Made by make.py.
store_name = "Lantern Street Market"
address = ["41 Lantern Street", "Harrow Falls, NY 10999", "(212) 555-0141"]
currency = "USD"
time_zone = "America/New_York"
receipt_footer = "Thank you for shopping on Lantern Street."
receipt_logo = "{make_logo()}"
receipt_qr = "https://lantern-street.example/receipts/{{receipt}}"
''')


def main():
    items = make_items()
    write_csv("items.csv", COLUMNS, [[row[c] for c in COLUMNS] for row in items.rows])
    write_csv("departments.csv", ["department_id", "name"], [(slug(d), d) for d in DEPARTMENTS])
    write_csv("taxes.csv", ["tax_id", "name", "rate", "included"], [(*t, "no") for t in TAXES])
    write_csv("employees.csv", ["employee_id", "name", "role", "pin"], EMPLOYEES)
    write_csv("customers.csv", ["customer_id", "name", "tier", "phone"], customers())
    write_csv("what-to-scan.csv", ["scan", "item_id", "shows"], what_to_scan(items))
    write_promotions(items)
    write_settings()
    print(f"{len(items.rows)} items")


if __name__ == "__main__":
    main()
