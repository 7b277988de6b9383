// RUN: lamina-opt %s -p 'int8-products-in-floats{least=2}' | filecheck %s

// CHECK-LABEL: func.func @bytes_are_converted_before_lanes_are_splat(
// CHECK-NEXT:    %[[W:.*]] = vec.convert %w : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:    %[[X:.*]] = vec.convert unsigned %x : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:    %[[A:.*]] = vec.splat_lane %[[X]][0] : vector<4xf32>
// CHECK-NEXT:    %[[B:.*]] = vec.splat_lane %[[X]][1] : vector<4xf32>
// CHECK-NEXT:    %[[M:.*]] = arith.constant dense<0x4B400000> : vector<4xf32>
// CHECK-NEXT:    %[[P:.*]] = math.fma %[[A]], %[[W]], %[[M]] : vector<4xf32>
// CHECK-NEXT:    %[[Q:.*]] = math.fma %[[B]], %[[W]], %[[P]] : vector<4xf32>
// CHECK-NEXT:    %[[S:.*]] = vec.bitcast %[[Q]] : vector<4xf32> to vector<4xi32>
// CHECK-NEXT:    %[[O:.*]] = arith.constant dense<1262485504> : vector<4xi32>
// CHECK-NEXT:    %[[I:.*]] = arith.subi %[[S]], %[[O]] : vector<4xi32>
// CHECK-NEXT:    %[[R:.*]] = arith.addi %acc, %[[I]] : vector<4xi32>
// CHECK-NEXT:    func.return %[[R]]
func.func @bytes_are_converted_before_lanes_are_splat(%x: vector<4xi8>, %w: vector<4xi8>, %acc: vector<4xi32>) -> vector<4xi32> {
  %a = vec.splat_lane %x[0] : vector<4xi8>
  %b = vec.splat_lane %x[1] : vector<4xi8>
  %ai = vec.convert unsigned %a : vector<4xi8> to vector<4xi32>
  %bi = vec.convert unsigned %b : vector<4xi8> to vector<4xi32>
  %wi = vec.convert %w : vector<4xi8> to vector<4xi32>
  %p = arith.muli %ai, %wi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %bi, %wi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %r : vector<4xi32>
}

// What somebody reads in between is an integer there; one product alone stays what it is.
// CHECK-LABEL: func.func @sum_that_is_read(
// CHECK:         arith.muli
// CHECK:         arith.muli
// CHECK-NOT:     f32
func.func @sum_that_is_read(%x: vector<4xi8>, %w: vector<4xi8>, %acc: vector<4xi32>) -> (vector<4xi32>, vector<4xi32>) {
  %xi = vec.convert %x : vector<4xi8> to vector<4xi32>
  %wi = vec.convert %w : vector<4xi8> to vector<4xi32>
  %p = arith.muli %xi, %wi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %wi, %wi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %s, %r : vector<4xi32>, vector<4xi32>
}

// Products of 16 bits may be anything.
// CHECK-LABEL: func.func @wider_numbers(
// CHECK-NOT:     f32
func.func @wider_numbers(%x: vector<4xi16>, %acc: vector<4xi32>) -> vector<4xi32> {
  %xi = vec.convert %x : vector<4xi16> to vector<4xi32>
  %p = arith.muli %xi, %xi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %xi, %xi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %r : vector<4xi32>
}

// 514 products are exact: 256 steps of two are, one index of four is cut.
// CHECK-LABEL: func.func @nest_that_carries_a_sum(
// CHECK-NEXT:    vec.convert %w : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:    %[[R:.*]] = loop.for %[[O:.*]] < 2 iter(%[[ACC:.*]] = %acc) : vector<4xi32> {
// CHECK-NEXT:      %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<4xf32>
// CHECK-NEXT:      %[[F:.*]] = loop.for %[[I:.*]] < 2, %[[J:.*]] < 128 iter(%[[SUM:.*]] = %[[ZERO]]) : vector<4xf32> {
// CHECK-NEXT:        %[[X:.*]] = vec.load %x[%[[O]] * 2 + %[[I]], %[[J]], 0] : memref<4x128x4xi8> -> vector<4xi8>
// CHECK:             %[[P:.*]] = math.fma %{{.*}}, %{{.*}}, %[[SUM]] : vector<4xf32>
// CHECK-NEXT:        %[[Q:.*]] = math.fma %{{.*}}, %{{.*}}, %[[P]] : vector<4xf32>
// CHECK-NEXT:        loop.yield %[[Q]] : vector<4xf32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[C:.*]] = vec.convert %[[F]] : vector<4xf32> to vector<4xi32>
// CHECK-NEXT:      %[[S:.*]] = arith.addi %[[ACC]], %[[C]] : vector<4xi32>
// CHECK-NEXT:      loop.yield %[[S]] : vector<4xi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %[[R]]
func.func @nest_that_carries_a_sum(%x: memref<4x128x4xi8>, %w: vector<4xi8>, %acc: vector<4xi32>) -> vector<4xi32> {
  %r = loop.for %i < 4, %j < 128 iter(%sum = %acc) : vector<4xi32> {
    %a = vec.load %x[%i, %j, 0] : memref<4x128x4xi8> -> vector<4xi8>
    %ai = vec.convert unsigned %a : vector<4xi8> to vector<4xi32>
    %wi = vec.convert %w : vector<4xi8> to vector<4xi32>
    %p = arith.muli %ai, %wi : vector<4xi32>
    %s = arith.addi %sum, %p : vector<4xi32>
    %q = arith.muli %ai, %wi : vector<4xi32>
    %t = arith.addi %s, %q : vector<4xi32>
    loop.yield %t : vector<4xi32>
  }
  func.return %r : vector<4xi32>
}

// What is carried beside a sum stays what it is, and a short reduction needs no second nest.
// CHECK-LABEL: func.func @short_nest_with_a_count(
// CHECK-NOT:     arith.muli
// CHECK:         %[[R:.*]], %[[N:.*]] = loop.for %{{.*}} < 9 iter(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) : vector<4xf32>, i32 {
// CHECK-NOT:     loop.for
// CHECK:         func.return %{{.*}}, %[[N]] : vector<4xi32>, i32
func.func @short_nest_with_a_count(%x: memref<9x4xi8>, %acc: vector<4xi32>) -> (vector<4xi32>, i32) {
  %one = arith.constant 1 : i32
  %r, %n = loop.for %i < 9 iter(%sum = %acc, %count = %one) : vector<4xi32>, i32 {
    %a = vec.load %x[%i, 0] : memref<9x4xi8> -> vector<4xi8>
    %ai = vec.convert %a : vector<4xi8> to vector<4xi32>
    %p = arith.muli %ai, %ai : vector<4xi32>
    %s = arith.addi %sum, %p : vector<4xi32>
    %m = arith.addi %count, %one : i32
    loop.yield %s, %m : vector<4xi32>, i32
  }
  func.return %r, %n : vector<4xi32>, i32
}

// A sum that is read in every step is an integer there.
// CHECK-LABEL: func.func @sum_that_is_stored_on_the_way(
// CHECK-NOT:     f32
func.func @sum_that_is_stored_on_the_way(%x: memref<9x4xi8>, %y: memref<9x4xi32>, %acc: vector<4xi32>) -> vector<4xi32> {
  %r = loop.for %i < 9 iter(%sum = %acc) : vector<4xi32> {
    %a = vec.load %x[%i, 0] : memref<9x4xi8> -> vector<4xi8>
    %ai = vec.convert %a : vector<4xi8> to vector<4xi32>
    %p = arith.muli %ai, %ai : vector<4xi32>
    %s = arith.addi %sum, %p : vector<4xi32>
    vec.store %s, %y[%i, 0] : vector<4xi32>, memref<9x4xi32>
    loop.yield %s : vector<4xi32>
  }
  func.return %r : vector<4xi32>
}
